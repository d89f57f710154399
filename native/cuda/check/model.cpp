#include "cuda/check/model.h"

#include <cmath>

#include "core/call.h"
#include "core/operator_table.h"
#include "cuda/check/random_call.h"

namespace lethe::check {
namespace {

constexpr double epsilon = 1e-5, rope_base = 10000;

size_t index_of(const std::string& op) {
  const auto table = operators();
  for (size_t i = 0; i < table.size(); ++i)
    if (table[i].name == op) return i;
  throw std::logic_error("no operator " + op);
}

double d(uint64_t id) { return static_cast<double>(id); }
double d(int64_t number) { return static_cast<double>(number); }

}  // namespace

int64_t ModelShape::parameters() const {
  const int64_t attention = 2 * hidden * hidden + 2 * hidden * key_width(), mlp = 3 * hidden * ffn;
  return layers * (attention + mlp + 2 * hidden) + hidden + 2 * vocabulary * hidden;
}

Model::Model(Device& device, int device_index, const ModelShape& shape, int64_t sequences, bool bf16, uint64_t seed)
    : device_(device), index_(device_index), shape_(shape), bf16_(bf16), seed_(seed) {
  const int64_t rows = sequences * shape.context, D = shape.hidden, R = D / shape.heads / 2;
  embedding_ = weight(shape.vocabulary * D, 0.5);
  for (int64_t i = 0; i < shape.layers; ++i) layers_.push_back(new_layer());
  norm_ = weight(D, 0);
  head_ = weight(shape.vocabulary * D, 1 / std::sqrt(d(D)));
  for (const Layer& l : layers_) {
    trained_.push_back({l.norm1.value, l.q.value, l.k.value, l.v.value, l.o.value, l.norm2.value, l.gate.value,
                        l.up.value, l.down.value});
    original_.push_back({frozen(l.norm1, true), frozen(l.q, false), frozen(l.k, false), frozen(l.v, false),
                         frozen(l.o, false), frozen(l.norm2, true), frozen(l.gate, false), frozen(l.up, false),
                         frozen(l.down, false)});
  }
  original_embedding_ = frozen(embedding_, false);
  original_head_ = frozen(head_, false);
  original_norm_ = frozen(norm_, true);

  Random random(seed + 1);
  std::vector<int32_t> ids, replay_ids, targets;
  for (int64_t n = 0; n < rows; ++n) ids.push_back(random.below(static_cast<int>(shape.vocabulary)));
  for (int64_t n = 0; n < rows; ++n)
    targets.push_back((n + 1) % shape.context == 0 ? -1 : ids[static_cast<size_t>(n) + 1]);
  replay_ids.assign(ids.begin() + sequences / 2 * shape.context, ids.end());
  policy_ = new_pass(sequences, ids, layers_.size());
  replay_ = new_pass(sequences - sequences / 2, replay_ids, 2);
  targets_ = upload(targets);
  std::vector<float> cos, sin;
  for (int64_t p = 0; p < shape.context; ++p)
    for (int64_t r = 0; r < R; ++r) {
      const double angle = d(p) * std::pow(rope_base, -d(r) / d(R));
      cos.push_back(static_cast<float>(std::cos(angle)));
      sin.push_back(static_cast<float>(std::sin(angle)));
    }
  cos_ = upload(cos);
  sin_ = upload(sin);
  sums_ = numbers(8);
  squares_ = numbers(1);
  for (Id* narrow : {&dq_, &dnormed_, &dstream_}) *narrow = activations(rows * D);
  for (Id* keys : {&dk_, &dv_}) *keys = activations(rows * shape.key_width());
  for (Id* wide : {&dwide_, &dwide2_}) *wide = activations(rows * shape.ffn);
}

Model::Id Model::allocate(int64_t count, bool half) {
  return store_.allocate(index_, static_cast<size_t>(count) * (half && device_.stores_bf16() ? 2 : 4),
                         half && device_.stores_bf16());
}

Model::Id Model::upload(const std::vector<float>& values) {
  const Id id = numbers(static_cast<int64_t>(values.size()));
  store_.write(id, 0, values.data(), values.size() * 4);
  return id;
}

Model::Id Model::upload(const std::vector<int32_t>& values) {
  const Id id = numbers(static_cast<int64_t>(values.size()));
  store_.write(id, 0, values.data(), values.size() * 4);
  return id;
}

// Normal numbers of standard deviation `size`; ones where that is 0.
Model::Weight Model::weight(int64_t count, double size) {
  Weight w{numbers(count), numbers(count), numbers(count), numbers(count), count};
  Random random(seed_ + 1000 * (weights_.size() + 1));
  std::vector<float> part;
  constexpr int64_t most = 1 << 20;  // random numbers repeat from here on: making them takes longer than a step
  for (int64_t i = 0; i < std::min(count, most); ++i)
    part.push_back(static_cast<float>(size == 0 ? 1 : size * random.normal()));
  for (int64_t begin = 0; begin < count; begin += most)
    store_.write(w.value, static_cast<size_t>(begin) * 4, part.data(),
                 static_cast<size_t>(std::min(most, count - begin)) * 4);
  for (const Id id : {w.grad, w.m, w.v}) run("fill", {d(count), d(id), 0});
  weights_.push_back(w);
  return w;
}

Model::Id Model::frozen(const Weight& weight, bool is_norm) {
  const Id copy = is_norm ? numbers(weight.count) : activations(weight.count);
  run("convert", {d(weight.count), d(weight.value), d(copy)});
  return copy;
}

Model::Layer Model::new_layer() {
  const int64_t D = shape_.hidden, K = shape_.key_width(), F = shape_.ffn;
  const double in = 1 / std::sqrt(d(D)), out = in / std::sqrt(2 * d(shape_.layers));
  Layer layer;
  layer.norm1 = weight(D, 0);
  layer.q = weight(D * D, in);
  layer.k = weight(K * D, in);
  layer.v = weight(K * D, in);
  layer.o = weight(D * D, out);
  layer.norm2 = weight(D, 0);
  layer.gate = weight(F * D, in);
  layer.up = weight(F * D, in);
  layer.down = weight(D * F, out);
  return layer;
}

Model::Kept Model::new_kept(const Pass& pass) {
  const int64_t narrow = pass.rows * shape_.hidden, keys = pass.rows * shape_.key_width(),
                wide = pass.rows * shape_.ffn;
  Kept kept{};
  for (Id* each : {&kept.sum1, &kept.q, &kept.attended, &kept.sum2}) *each = activations(narrow);
  for (Id* each : {&kept.k, &kept.v}) *each = activations(keys);
  for (Id* each : {&kept.gate, &kept.up}) *each = activations(wide);
  for (Id* each : {&kept.rstd1, &kept.rstd2}) *each = numbers(pass.rows);
  kept.lse = numbers(pass.rows * shape_.heads);
  return kept;
}

Model::Pass Model::new_pass(int64_t sequences, const std::vector<int32_t>& ids, size_t num_kept) {
  Pass pass{};
  pass.sequences = sequences;
  pass.rows = sequences * shape_.context;
  std::vector<int32_t> positions;
  for (int64_t n = 0; n < pass.rows; ++n) positions.push_back(static_cast<int32_t>(n % shape_.context));
  pass.ids = upload(ids);
  pass.positions = upload(positions);
  pass.first = upload(std::vector<int32_t>(positions.size()));
  pass.last = upload(positions);
  for (Id* each : {&pass.narrow, &pass.normed, &pass.final_sum, &pass.output})
    *each = activations(pass.rows * shape_.hidden);
  pass.wide = activations(pass.rows * shape_.ffn);
  pass.rstd = numbers(pass.rows);
  for (size_t i = 0; i < num_kept; ++i) pass.kept.push_back(new_kept(pass));
  return pass;
}

void Model::run(const char* op, std::initializer_list<double> fields) {
  call(device_, store_, index_of(op), {fields.begin(), fields.size()});
}

void Model::rotate(const Pass& pass, Id x, int64_t heads, bool inverse) {
  run("rope", {d(pass.rows), d(heads), d(shape_.hidden / shape_.heads / 2), d(shape_.context), d(x), d(pass.positions),
               d(cos_), d(sin_), d(x), inverse ? 1.0 : 0.0});
}

// Adds what the layer before has made, in pass.narrow, to the stream; 0 is no stream yet.
void Model::attention_half(const Pass& pass, const Frozen& w, const Kept& kept, Id stream) {
  const double N = d(pass.rows), D = d(shape_.hidden), K = d(shape_.key_width());
  run("rms_norm", {N, D, d(pass.narrow), d(stream), d(w.norm1), d(kept.sum1), d(pass.normed), d(kept.rstd1), epsilon});
  run("linear", {N, D, D, d(pass.normed), d(w.q), 0, d(kept.q)});
  run("linear", {N, D, K, d(pass.normed), d(w.k), 0, d(kept.k)});
  run("linear", {N, D, K, d(pass.normed), d(w.v), 0, d(kept.v)});
  rotate(pass, kept.q, shape_.heads, false);
  rotate(pass, kept.k, shape_.key_heads, false);
  run("attention", {d(pass.sequences), d(shape_.context), d(shape_.context), d(shape_.heads), d(shape_.key_heads),
                    d(shape_.hidden / shape_.heads), d(kept.q), d(kept.k), d(kept.v), d(pass.first), d(pass.last),
                    d(kept.attended), d(kept.lse), 1 / std::sqrt(d(shape_.hidden / shape_.heads))});
  run("linear", {N, D, D, d(kept.attended), d(w.o), 0, d(pass.narrow)});
}

void Model::ffn_half(const Pass& pass, const Frozen& w, const Kept& kept) {
  const double N = d(pass.rows), D = d(shape_.hidden), F = d(shape_.ffn);
  run("rms_norm",
      {N, D, d(pass.narrow), d(kept.sum1), d(w.norm2), d(kept.sum2), d(pass.normed), d(kept.rstd2), epsilon});
  run("linear", {N, D, F, d(pass.normed), d(w.gate), 0, d(kept.gate)});
  run("linear", {N, D, F, d(pass.normed), d(w.up), 0, d(kept.up)});
  run("swiglu", {N, F, d(kept.gate), d(kept.up), d(pass.wide)});
  run("linear", {N, F, D, d(pass.wide), d(w.down), 0, d(pass.narrow)});
}

void Model::forward(const Pass& pass, Id embedding, const std::vector<Frozen>& weights, Id final_norm) {
  const double N = d(pass.rows), D = d(shape_.hidden);
  Id stream = 0;
  run("embedding", {N, d(shape_.vocabulary), D, d(pass.ids), d(embedding), d(pass.narrow)});
  for (size_t i = 0; i < weights.size(); ++i) {
    const Kept& kept = pass.kept[i % pass.kept.size()];
    attention_half(pass, weights[i], kept, stream);
    ffn_half(pass, weights[i], kept);
    stream = kept.sum2;
  }
  run("rms_norm",
      {N, D, d(pass.narrow), d(stream), d(final_norm), d(pass.final_sum), d(pass.output), d(pass.rstd), epsilon});
}

void Model::linear_backward(Id x, const Weight& w, int64_t inputs, int64_t outputs, Id dy, Id dx, bool accumulate) {
  run("linear_backward",
      {d(policy_.rows), d(inputs), d(outputs), d(x), d(w.value), d(dy), d(dx), d(w.grad), 0, accumulate ? 1.0 : 0.0});
}

// dstream_: the gradient of the stream behind the layer, which is that of what the layer adds, too.
void Model::backward_ffn(const Layer& layer, const Kept& kept) {
  const int64_t D = shape_.hidden, F = shape_.ffn;
  const double N = d(policy_.rows);
  run("swiglu", {N, d(F), d(kept.gate), d(kept.up), d(policy_.wide)});
  linear_backward(policy_.wide, layer.down, F, D, dstream_, dwide_, false);
  run("swiglu_backward", {N, d(F), d(kept.gate), d(kept.up), d(dwide_), d(dwide_), d(dwide2_)});
  run("rms_norm", {N, d(D), d(kept.sum2), 0, d(layer.norm2.value), 0, d(policy_.normed), d(kept.rstd2), epsilon});
  linear_backward(policy_.normed, layer.gate, D, F, dwide_, dnormed_, false);
  linear_backward(policy_.normed, layer.up, D, F, dwide2_, dnormed_, true);
  run("rms_norm_backward", {N, d(D), d(kept.sum2), d(layer.norm2.value), d(kept.rstd2), d(dnormed_), d(dstream_),
                            d(dstream_), d(layer.norm2.grad)});
}

void Model::backward_attention(const Layer& layer, const Kept& kept) {
  const int64_t D = shape_.hidden, K = shape_.key_width();
  const double N = d(policy_.rows);
  linear_backward(kept.attended, layer.o, D, D, dstream_, policy_.narrow, false);
  run("attention_backward",
      {d(policy_.sequences), d(shape_.context), d(shape_.context), d(shape_.heads), d(shape_.key_heads),
       d(D / shape_.heads), d(kept.q), d(kept.k), d(kept.v), d(policy_.first), d(policy_.last), d(kept.attended),
       d(kept.lse), d(policy_.narrow), d(dq_), d(dk_), d(dv_), 1 / std::sqrt(d(D / shape_.heads))});
  rotate(policy_, dq_, shape_.heads, true);
  rotate(policy_, dk_, shape_.key_heads, true);
  run("rms_norm", {N, d(D), d(kept.sum1), 0, d(layer.norm1.value), 0, d(policy_.normed), d(kept.rstd1), epsilon});
  linear_backward(policy_.normed, layer.q, D, D, dq_, dnormed_, false);
  linear_backward(policy_.normed, layer.k, D, K, dk_, dnormed_, true);
  linear_backward(policy_.normed, layer.v, D, K, dv_, dnormed_, true);
  run("rms_norm_backward", {N, d(D), d(kept.sum1), d(layer.norm1.value), d(kept.rstd1), d(dnormed_), d(dstream_),
                            d(dstream_), d(layer.norm1.grad)});
}

// The norm is asked for after the updates are queued: nothing waits for it.
double Model::update(double learning_rate) {
  ++step_;
  run("fill", {1, d(squares_), 0});
  for (const Weight& w : weights_) run("global_norm", {d(w.count), d(w.grad), d(squares_)});
  for (const Weight& w : weights_) {
    run("adamw", {d(w.count), d(w.value), d(w.grad), d(w.m), d(w.v), learning_rate, 0.9, 0.95, 1e-8, 0, 1, d(step_)});
    run("fill", {d(w.count), d(w.grad), 0});
  }
  float squares = 0;
  store_.read(squares_, 0, &squares, 4);
  return std::sqrt(squares);
}

StepLosses Model::step(double learning_rate) {
  const double N = d(policy_.rows), M = d(replay_.rows), D = d(shape_.hidden), V = d(shape_.vocabulary);
  const double forget = N - M, share = 1 - 1 / d(shape_.context);  // the last token of a row has no target
  forward(replay_, original_embedding_, original_, original_norm_);
  forward(policy_, embedding_.value, trained_, norm_.value);
  run("unlearn_head", {N,
                       M,
                       D,
                       V,
                       d(policy_.output),
                       d(head_.value),
                       d(targets_),
                       d(replay_.output),
                       d(original_head_),
                       d(sums_),
                       d(dnormed_),
                       d(head_.grad),
                       0,
                       0,
                       0,
                       forget > 0 ? 0.01 / (forget * share) : 0,
                       1 / (M * share),
                       1 / (M * share),
                       forget,
                       0,
                       0,
                       0});
  run("rms_norm_backward",
      {N, D, d(policy_.final_sum), d(norm_.value), d(policy_.rstd), d(dnormed_), 0, d(dstream_), d(norm_.grad)});
  for (size_t i = layers_.size(); i-- > 0;) {
    backward_ffn(layers_[i], policy_.kept[i]);
    backward_attention(layers_[i], policy_.kept[i]);
  }
  run("embedding_backward", {N, V, D, d(policy_.ids), d(dstream_), d(embedding_.grad)});
  const double norm = update(learning_rate);
  float sums[8] = {};
  store_.read(sums_, 0, sums, sizeof(sums));
  return {sums[3] > 0 ? sums[0] / sums[3] : 0, sums[1] / sums[4], sums[2] / sums[4], norm};
}

// Of matrix products and visible attention (half of it, being causal): 6 per weight and token for what is trained, 2
// for the original's pass. The embedding is no product; what is computed again is not counted.
double Model::flop_per_step() const {
  const double weights = d(shape_.parameters() - shape_.vocabulary * shape_.hidden);
  const double attention = 4 * d(shape_.hidden) * d(shape_.context) / 2 * d(shape_.layers);
  return d(policy_.rows) * (6 * weights + 3 * attention) + d(replay_.rows) * (2 * weights + attention);
}

}  // namespace lethe::check
