// A whole training step of a Llama-like model in operators of the table, on any device: what a step costs without
// TypeScript, and whether its losses are the reference's. Norms and SwiGLU are computed again in the backward pass.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "core/buffer_store.h"

namespace lethe::check {

struct ModelShape {
  int64_t hidden = 2048, ffn = 5504, heads = 32, key_heads = 32, layers = 32, vocabulary = 64000, context = 4096;
  int64_t key_width() const { return hidden / heads * key_heads; }
  int64_t parameters() const;
};

struct StepLosses {
  double forgetting, replay, mitigation, norm;
};

class Model {
 public:
  // Weights are random numbers of `seed`, the same on every device. `sequences` rows of context tokens, the first half
  // of them to be forgotten; the original model passes over the other half.
  Model(Device& device, int device_index, const ModelShape& shape, int64_t sequences, bool bf16, uint64_t seed);

  // One step of unlearning, on the same tokens each time. Waits for the device once, for the losses.
  StepLosses step(double learning_rate);
  size_t live_bytes() { return store_.pool(index_).stats().live; }
  double flop_per_step() const;

 private:
  using Id = uint64_t;
  struct Weight {
    Id value, grad, m, v;
    int64_t count;
  };
  struct Layer {
    Weight norm1, q, k, v, o, norm2, gate, up, down;
  };
  // The same weights, trained or frozen, as forward passes read them.
  struct Frozen {
    Id norm1, q, k, v, o, norm2, gate, up, down;
  };
  // What a layer's forward pass leaves for its backward pass.
  struct Kept {
    Id sum1, rstd1, q, k, v, attended, lse, sum2, rstd2, gate, up;
  };
  // The tokens of a pass over the model, and working memory of its size: [rows, hidden] and [rows, ffn].
  struct Pass {
    int64_t sequences, rows;
    Id ids, positions, first, last;
    Id narrow, normed, wide, final_sum, rstd, output;
    std::vector<Kept> kept;  // one per layer, or two that layers take in turns
  };

  Id allocate(int64_t count, bool half);
  Id numbers(int64_t count) { return allocate(count, false); }
  Id activations(int64_t count) { return allocate(count, bf16_); }
  Id upload(const std::vector<float>& values);
  Id upload(const std::vector<int32_t>& values);
  Weight weight(int64_t count, double size);
  Id frozen(const Weight& weight, bool is_norm);
  Layer new_layer();
  Kept new_kept(const Pass& pass);
  Pass new_pass(int64_t sequences, const std::vector<int32_t>& ids, size_t num_kept);
  void run(const char* op, std::initializer_list<double> fields);

  void forward(const Pass& pass, Id embedding, const std::vector<Frozen>& weights, Id final_norm);
  void attention_half(const Pass& pass, const Frozen& w, const Kept& kept, Id stream);
  void ffn_half(const Pass& pass, const Frozen& w, const Kept& kept);
  void backward_attention(const Layer& layer, const Kept& kept);
  void backward_ffn(const Layer& layer, const Kept& kept);
  void rotate(const Pass& pass, Id x, int64_t heads, bool inverse);
  void linear_backward(Id x, const Weight& w, int64_t inputs, int64_t outputs, Id dy, Id dx, bool accumulate);
  double update(double learning_rate);

  Device& device_;
  BufferStore store_;
  int index_;
  ModelShape shape_;
  bool bf16_;
  uint64_t seed_;
  int64_t step_ = 0;
  std::vector<Layer> layers_;
  std::vector<Weight> weights_;  // all of them, for the optimizer
  Weight embedding_, head_, norm_;
  std::vector<Frozen> trained_, original_;
  Id original_embedding_, original_head_, original_norm_;
  Pass policy_, replay_;
  Id targets_, cos_, sin_, sums_, squares_;
  Id dwide_, dwide2_, dq_, dk_, dv_, dnormed_, dstream_;  // of the backward pass
};

}  // namespace lethe::check
