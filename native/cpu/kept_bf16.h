// bf16 copies of fp32 weights, kept until the weights change: several products of a step read them. Copying is a function
// of the buffer alone, so results never depend on what was kept.
#pragma once
#include "cpu/gemm.h"
#include "lethe/tensor.h"

namespace lethe::cpu {

// As `operand` in gemm.h, of a whole buffer [rows, cols]. A copy is kept until the buffer is written or released, or the
// cache emptied; where there are no bf16 instructions, or the memory is not in a store, it lives in `scratch`.
Operand weight_operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch);

}  // namespace lethe::cpu
