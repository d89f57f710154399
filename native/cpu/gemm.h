// C [m, n] (+)= op(A) [m, k] op(B) [k, n] through oneDNN, fp32 accumulation and fp32 C. Primitives are kept by shape.
// For a given number of threads oneDNN's result is a function of the inputs alone.
#pragma once
#include <cstdint>

#include "cpu/scratch.h"

namespace lethe::cpu {

// A matrix as stored: row major with `stride` elements from row to row, read transposed when `transposed`.
struct Operand {
  const void* data = nullptr;
  int64_t stride = 0;
  bool transposed = false;
  bool bf16 = false;

  Operand t() const { return {data, stride, !transposed, bf16}; }
  // Rows from `row` on, as stored.
  Operand from(int64_t row) const {
    return {static_cast<const char*>(data) + row * stride * (bf16 ? 2 : 4), stride, transposed, bf16};
  }
};

inline Operand plain(const float* data, int64_t stride) { return {data, stride, false, false}; }

// The matrix with its elements rounded to bf16: real bf16 where the machine multiplies it, otherwise rounded fp32.
// Dense [rows, cols]; lives as long as `scratch`. With bf16 false, the matrix itself.
Operand operand(const float* data, int64_t rows, int64_t cols, bool bf16, Scratch& scratch);

struct Product {
  int64_t m = 0, n = 0, k = 0;
  bool accumulate = false;
  const float* bias = nullptr;  // [n], added to every row
};

void gemm(const Product& product, const Operand& a, const Operand& b, float* c, int64_t c_stride);

}  // namespace lethe::cpu
