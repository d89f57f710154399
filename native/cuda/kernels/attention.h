// What the kernels of attention share.
#pragma once
#include <initializer_list>

#include "cuda/kernels/activation.h"
#include "cuda/kernels/attention_tile.h"
#include "cuda/runtime/context.h"
#include "cuda/runtime/scratch.h"
#include "lethe/ops.h"

namespace lethe::cuda {

inline constexpr float log2_e = 1.44269504F, ln_2 = 0.693147181F;

struct AttentionShape {
  int B, T, S, H, K, D;

  LETHE_HD int64_t query(int b, int t, int h) const { return ((int64_t{b} * T + t) * H + h) * D; }
  LETHE_HD int64_t key(int b, int s, int k) const { return ((int64_t{b} * S + s) * K + k) * D; }
  LETHE_HD int64_t row(int b, int h, int t) const { return (int64_t{b} * H + h) * T + t; }  // of lse and delta
  LETHE_HD int num_ranges() const { return (T + queries_per_range - 1) / queries_per_range; }
};

template <class Args>
AttentionShape shape_of(const Args& a) {
  return {static_cast<int>(a.B), static_cast<int>(a.T), static_cast<int>(a.S),
          static_cast<int>(a.H), static_cast<int>(a.K), static_cast<int>(a.D)};
}

inline bool are_aligned(std::initializer_list<Tensor> tensors) {
  for (const Tensor& x : tensors)
    if (reinterpret_cast<uintptr_t>(x.data) % 16 != 0) return false;
  return true;
}
inline bool is_aligned(const attention_args& a) { return are_aligned({a.q, a.k, a.v, a.y}); }
inline bool is_aligned(const attention_backward_args& a) {
  return are_aligned({a.q, a.k, a.v, a.dy, a.dq, a.dk, a.dv});
}

// Tensor cores take bf16 with heads of up to 128 in steps of 8 (16 bytes).
template <class Args>
bool fits_tensor_cores(const Args& a) {
  return a.q.bf16 && a.D <= 128 && a.D % 8 == 0 && is_aligned(a);
}

// TileKeys of every 32 queries, [B, num_ranges]; reports ranges outside the keys.
const TileKeys* tile_key_table(Context& context, const char* op, int op_index, const AttentionShape& shape,
                               const int32_t* first, const int32_t* last, Scratch& scratch);

// delta[b, h, t] = sum over d of dy y.
template <class T>
void attention_delta(Context& context, const AttentionShape& shape, const T* y, const T* dy, float* delta);

// Any head size up to 512, fp32 or bf16; one warp per query or key.
void plain_attention(Context& context, const attention_args& a);
void plain_attention_backward(Context& context, const attention_backward_args& a, const float* delta);

}  // namespace lethe::cuda
