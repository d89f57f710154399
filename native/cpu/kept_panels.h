// Weights packed in panels for products (vector/panels.cpp), kept until they change: a step multiplies by the same ones
// several times, generation at every token. Packing is a function of the buffer alone, so results never depend on what
// was kept.
#pragma once
#include "cpu/gemm.h"
#include "lethe/tensor.h"

namespace lethe::cpu {

// The whole buffer `weight`, [O, I] as stored, as the right matrix of a product: itself [O, I] for gradients of inputs,
// or its transpose [I, O] for outputs. In panels where that pays: in bf16 (but frozen weights, which would be held
// twice), and for the outputs of at most `few_rows` rows. They are kept until the buffer is written or released, or the
// cache emptied. Elsewhere, and where the machine or the memory does not allow it, a plain operand that lives as long
// as `scratch`.
struct WeightUse {
  int64_t O = 0, I = 0, rows = 0;  // rows: of the left matrix
  bool transposed = false;         // x weight^T
  bool bf16 = false;
};
Operand weight_operand(const Tensor& weight, const WeightUse& use, Scratch& scratch);

inline constexpr int64_t few_rows = 64;

}  // namespace lethe::cpu
