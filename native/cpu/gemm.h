// C [m, n] (+)= op(A) [m, k] op(B) [k, n] through oneDNN, fp32 accumulation. Primitives are kept by shape.
// For a given number of threads oneDNN's result is a function of the inputs alone.
#pragma once
#include <cstdint>

#include "cpu/scratch.h"
#include "lethe/tensor.h"

namespace lethe::cpu {

// A matrix as stored: row major with `stride` elements from row to row, read transposed when `transposed`.
struct Operand {
  const void* data = nullptr;
  int64_t stride = 0;
  bool transposed = false;
  bool bf16 = false;
  // The right matrix only: packed as vector/panels.cpp says, whatever `stride` and `transposed` are. The left matrix
  // and C must then be dense, or oneDNN falls back to its reference.
  bool panels = false;

  Operand t() const { return {data, stride, !transposed, bf16}; }
};

inline Operand plain(const float* data, int64_t stride) { return {data, stride, false, false}; }

// x, dense [rows, cols], for a product in bf16 or fp32: in bf16 its elements are rounded where they are fp32. Real bf16
// where the machine multiplies it, otherwise rounded fp32. x itself, or a copy that lives as long as `scratch`.
Operand operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch);

// Where C goes: row major, fp32 or bf16, `stride` elements from row to row.
struct Result {
  void* data = nullptr;
  int64_t stride = 0;
  bool bf16 = false;
};

inline Result result(const Tensor& y, int64_t stride) { return {y.data, stride, y.bf16}; }

struct Product {
  int64_t m = 0, n = 0, k = 0;
  bool accumulate = false;
  const float* bias = nullptr;  // [n], added to every row
};

void gemm(const Product& product, const Operand& a, const Operand& b, const Result& c);

}  // namespace lethe::cpu
