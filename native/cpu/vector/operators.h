// The operators of this instruction set.
#pragma once
#include "cpu/vector/kernels.h"

namespace lethe::cpu::LETHE_ISA {

#define LETHE_DECLARE(stem) void stem(const stem##_args& a);
LETHE_VECTOR_OPERATORS(LETHE_DECLARE)
#undef LETHE_DECLARE
void unlearn_block(const UnlearnBlock& block);
void to_bf16(const float* x, uint16_t* y, int64_t count);
void from_bf16(const uint16_t* x, float* y, int64_t count);
void round_to_bf16(const float* x, float* y, int64_t count);
void pack_panels(const Tensor& x, const PanelShape& shape, bool bf16, float* units);
void add_transposed_product(const TransposedProduct& product);
void add_column_sums(const Tensor& x, int64_t rows, int64_t cols, float* total);

}  // namespace lethe::cpu::LETHE_ISA
