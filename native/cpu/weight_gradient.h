// dweight [O, I] += dy^T x over N rows, dy [N, O], x [N, I]: in bf16 by a product of our own, in fp32 by oneDNN.
#pragma once
#include "cpu/gemm.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {

struct WeightShape {
  int64_t O, I;
};

inline void add_weight_gradient(int64_t N, const WeightShape& s, const Operand& dy, const Operand& x, float* dweight) {
  if (N == 0 || s.O == 0 || s.I == 0) return;  // Nothing to add; the product of our own divides by its panels.
  if (!dy.bf16) return gemm({s.O, s.I, N, true}, dy.t(), x, {dweight, s.I});
  const auto halves = [](const Operand& o) { return HalfMatrix{static_cast<const uint16_t*>(o.data), o.stride}; };
  kernels().add_transposed_product({s.O, s.I, N, halves(dy), halves(x), dweight, s.I});
}

}  // namespace lethe::cpu
