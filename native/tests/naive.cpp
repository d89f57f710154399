// fp32 as one would first write it: sequential sums, no blocks. Only its rounding error matters (docs/math.md, 5.3), so
// the loss is in its stable form.
#include <algorithm>
#include <cmath>
#include <vector>

#include "core/host_memory.h"
#include "lethe/error.h"
#include "tests/case.h"

namespace lethe::tests {
namespace {

float dot(const float* x, const float* y, int64_t count, int64_t y_stride = 1) {
  float sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * y[i * y_stride];
  return sum;
}

void naive_linear(const linear_args& a) {
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t o = 0; o < a.O; ++o)
      a.y.f32()[n * a.O + o] = dot(a.x.f32() + n * a.I, a.weight.f32() + o * a.I, a.I) + (a.bias ? a.bias.f32()[o] : 0);
}

void naive_linear_backward(const linear_backward_args& a) {
  for (int64_t n = 0; a.dx && n < a.N; ++n)
    for (int64_t i = 0; i < a.I; ++i) {
      float& dx = a.dx.f32()[n * a.I + i];
      dx = (a.accumulate_dx ? dx : 0) + dot(a.dy.f32() + n * a.O, a.weight.f32() + i, a.O, a.I);
    }
  for (int64_t o = 0; a.dweight && o < a.O; ++o)
    for (int64_t i = 0; i < a.I; ++i)
      for (int64_t n = 0; n < a.N; ++n)
        a.dweight.f32()[o * a.I + i] += a.dy.f32()[n * a.O + o] * a.x.f32()[n * a.I + i];
  for (int64_t o = 0; a.dbias && o < a.O; ++o)
    for (int64_t n = 0; n < a.N; ++n) a.dbias.f32()[o] += a.dy.f32()[n * a.O + o];
}

void naive_matmul(const matmul_args& a) {
  for (int64_t p = 0; p < a.P; ++p)
    for (int64_t m = 0; m < a.M; ++m)
      for (int64_t n = 0; n < a.N; ++n) {
        const float *left = a.a.f32() + p % a.A * a.M * a.K, *right = a.b.f32() + p % a.B * a.K * a.N;
        float sum = 0;
        for (int64_t k = 0; k < a.K; ++k)
          sum += left[a.transpose_a ? k * a.M + m : m * a.K + k] * right[a.transpose_b ? n * a.K + k : k * a.N + n];
        a.y.f32()[(p * a.M + m) * a.N + n] = sum;
      }
}

float softplus(float x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
float sigmoid(float x) { return 1 / (1 + std::exp(-x)); }

struct NaiveRow {
  std::vector<float> z;
  float others, m, all;
};

NaiveRow naive_row(const float* hidden, const float* weight, const unlearn_head_args& a, int64_t y) {
  NaiveRow row{std::vector<float>(static_cast<size_t>(a.V)), 0, 0, 0};
  float top = -INFINITY, sum = 0;
  for (int64_t v = 0; v < a.V; ++v) row.z[static_cast<size_t>(v)] = dot(hidden, weight + v * a.D, a.D);
  for (int64_t v = 0; v < a.V; ++v)
    if (v != y) top = std::max(top, row.z[static_cast<size_t>(v)]);
  for (int64_t v = 0; v < a.V; ++v)
    if (v != y) sum += std::exp(row.z[static_cast<size_t>(v)] - top);
  row.others = top + std::log(sum);
  row.m = row.z[static_cast<size_t>(y)] - row.others;
  row.all = row.others + softplus(row.m);
  return row;
}

struct NaiveLoss {
  float loss, weight;
};

NaiveLoss naive_forgetting(const unlearn_head_args& a, float m) {
  const float p = sigmoid(m), rest = sigmoid(-m);
  const float s = std::pow(p, static_cast<float>(a.beta1)) * std::pow(rest, static_cast<float>(a.beta2));
  switch (a.method) {
    case 1:
      return {-s * softplus(-m), s * rest};
    case 2:
      return {p, p * rest};
    case 3:
      return rest > 1e-5F ? NaiveLoss{softplus(m), p} : NaiveLoss{-std::log(1e-5F), 0};
    default:
      return {softplus(m), p};
  }
}

// dz over z; returns the KL.
float naive_gradient(const unlearn_head_args& a, NaiveRow& row, const NaiveRow* original, bool forget, int64_t y) {
  const auto f = [](double x) { return static_cast<float>(x); };
  const float c = naive_forgetting(a, row.m).weight;
  float kl = 0;
  for (size_t v = 0; v < row.z.size(); ++v) {
    const bool target = static_cast<int64_t>(v) == y;
    if (forget) {
      row.z[v] = f(a.scale_forgetting) * c * (target ? 1 : -std::exp(row.z[v] - row.others));
      continue;
    }
    const float log_p = row.z[v] - row.all, p = std::exp(log_p);
    row.z[v] = f(a.scale_replay) * (target ? -sigmoid(-row.m) : p);
    if (!original) continue;
    const float log_p0 = original->z[v] - original->all, p0 = std::exp(log_p0);
    kl += p0 * (log_p0 - log_p);
    row.z[v] += f(a.scale_mitigation) * (p - p0);
  }
  return kl;
}

void naive_unlearn_head(const unlearn_head_args& a) {
  std::fill_n(a.sums.f32(), 8, 0.0F);
  float* sums = a.sums.f32();
  for (int64_t n = 0; n < a.N; ++n) {
    const int64_t y = a.targets.i32()[n], original_row = n - (a.N - a.M);
    const bool forget = n < a.num_forget;
    float nll = 0, p = 0, kl = 0;
    if (a.dhidden) std::fill_n(a.dhidden.f32() + n * a.D, a.D, 0.0F);
    if (y >= 0) {
      const float* hidden = a.hidden.f32() + n * a.D;
      NaiveRow row = naive_row(hidden, a.weight.f32(), a, y), original;
      const bool has_original = !forget && original_row >= 0;
      if (has_original)
        original = naive_row(a.original_hidden.f32() + original_row * a.D, a.original_weight.f32(), a, y);
      nll = softplus(-row.m);
      p = sigmoid(row.m);
      kl = naive_gradient(a, row, has_original ? &original : nullptr, forget, y);
      sums[forget ? 0 : 1] += forget ? naive_forgetting(a, row.m).loss : nll;
      sums[2] += kl;
      sums[forget ? 3 : 4] += 1;
      if (forget) sums[5] += p, sums[6] += naive_forgetting(a, row.m).weight;
      for (int64_t v = 0; v < a.V; ++v)
        for (int64_t d = 0; d < a.D; ++d) {
          const float g = row.z[static_cast<size_t>(v)];
          if (a.dhidden) a.dhidden.f32()[n * a.D + d] += g * a.weight.f32()[v * a.D + d];
          if (a.dweight) a.dweight.f32()[v * a.D + d] += g * hidden[d];
        }
    }
    if (a.nll) a.nll.f32()[n] = nll;
    if (a.p) a.p.f32()[n] = p;
    if (a.kl) a.kl.f32()[n] = kl;
  }
}

// Attention row by row, with the scores of a row in memory.
void naive_attention(const attention_args& a) {
  for (int64_t b = 0; b < a.B; ++b)
    for (int64_t t = 0; t < a.T; ++t)
      for (int64_t h = 0; h < a.H; ++h) {
        const int64_t first = a.first.i32()[b * a.T + t], last = a.last.i32()[b * a.T + t];
        const int64_t query = ((b * a.T + t) * a.H + h) * a.D, group = h / (a.H / a.K);
        std::vector<float> scores;
        float top = -INFINITY, sum = 0;
        for (int64_t s = first; s <= last; ++s) {
          const float* key = a.k.f32() + ((b * a.S + s) * a.K + group) * a.D;
          scores.push_back(dot(a.q.f32() + query, key, a.D) * static_cast<float>(a.scale));
          top = std::max(top, scores.back());
        }
        for (float& s : scores) sum += s = std::exp(s - top);
        a.lse.f32()[(b * a.H + h) * a.T + t] = top + std::log(sum);
        for (int64_t d = 0; d < a.D; ++d) {
          float& y = a.y.f32()[query + d] = 0;
          for (int64_t s = first; s <= last; ++s)
            y += scores[static_cast<size_t>(s - first)] / sum * a.v.f32()[((b * a.S + s) * a.K + group) * a.D + d];
        }
      }
}

void naive_attention_backward(const attention_backward_args& a) {
  std::fill_n(a.dq.f32(), a.B * a.T * a.H * a.D, 0.0F);
  std::fill_n(a.dk.f32(), a.B * a.S * a.K * a.D, 0.0F);
  std::fill_n(a.dv.f32(), a.B * a.S * a.K * a.D, 0.0F);
  for (int64_t b = 0; b < a.B; ++b)
    for (int64_t h = 0; h < a.H; ++h)
      for (int64_t t = 0; t < a.T; ++t) {
        const int64_t query = ((b * a.T + t) * a.H + h) * a.D, group = h / (a.H / a.K);
        const float *q = a.q.f32() + query, *dy = a.dy.f32() + query;
        float delta = 0;
        for (int64_t d = 0; d < a.D; ++d) delta += a.y.f32()[query + d] * dy[d];
        for (int64_t s = a.first.i32()[b * a.T + t]; s <= a.last.i32()[b * a.T + t]; ++s) {
          const int64_t key = ((b * a.S + s) * a.K + group) * a.D;
          const auto scale = static_cast<float>(a.scale);
          const float p = std::exp(dot(q, a.k.f32() + key, a.D) * scale - a.lse.f32()[(b * a.H + h) * a.T + t]);
          const float ds = p * (dot(dy, a.v.f32() + key, a.D) - delta) * scale;
          for (int64_t d = 0; d < a.D; ++d) {
            a.dq.f32()[query + d] += ds * a.k.f32()[key + d];
            a.dk.f32()[key + d] += ds * q[d];
            a.dv.f32()[key + d] += p * dy[d];
          }
        }
      }
}

template <class Args>
void missing(const char* op, const Args&) {
  throw Error(Code::not_available, op, "has no naive form");
}

class NaiveDevice final : public Device {
 public:
  const char* name() const override { return "naive"; }
  Memory& memory() override { return host_memory(); }
  bool stores_bf16() const override { return false; }
  void linear(const linear_args& a) override { naive_linear(a); }
  void linear_backward(const linear_backward_args& a) override { naive_linear_backward(a); }
  void matmul(const matmul_args& a) override { naive_matmul(a); }
  void attention(const attention_args& a) override { naive_attention(a); }
  void attention_backward(const attention_backward_args& a) override { naive_attention_backward(a); }
  void unlearn_head(const unlearn_head_args& a) override { naive_unlearn_head(a); }
#define LETHE_MISSING(stem) \
  void stem(const stem##_args& a) override { missing(#stem, a); }
  // clang-format off
#define LETHE_ALL_MISSING(OP)                                                                                     \
  OP(embedding) OP(embedding_backward) OP(rms_norm) OP(rms_norm_backward) OP(rope) OP(swiglu) OP(swiglu_backward) \
  OP(adamw) OP(global_norm) OP(binary) OP(unary) OP(fill) OP(reduce) OP(copy_block) OP(convert)
  // clang-format on
  LETHE_ALL_MISSING(LETHE_MISSING)
};

}  // namespace

Device& naive_device() {
  static NaiveDevice device;
  return device;
}

}  // namespace lethe::tests
