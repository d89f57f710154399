// Matrix products: cuBLASLt's, or a plain kernel where cuBLASLt has none for a shape (or LETHE_GEMM=plain asks for it).
#pragma once
#include <cstdint>

namespace lethe::cuda {

class Context;

enum class Type { f32, bf16, f16 };
constexpr int64_t size_of(Type type) { return type == Type::f32 ? 4 : 2; }

// Row major; `transposed` says that the matrix stands in memory as its transpose. `stride` is between rows in memory.
struct Matrix {
  const void* data = nullptr;
  int64_t stride = 0;
  Type type = Type::f32;
  bool transposed = false;

  Matrix t() const { return {data, stride, type, !transposed}; }
};

struct Product {
  void* data = nullptr;
  int64_t stride = 0;
  Type type = Type::f32;
};

// c [m, n] = alpha a [m, k] b [k, n] + beta c, accumulated in fp32; a and b have one type. fp32 is true fp32, not TF32.
struct GemmShape {
  int64_t m, n, k;
  float alpha = 1, beta = 0;
};
void gemm(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b, const Product& c);

// The plain kernel. `batch` products, product p of a's p % a_batch and b's p % b_batch, dense one after the other.
struct Batch {
  int64_t count = 1, a_count = 1, b_count = 1;
};
void plain_gemm(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b,
                const Product& c, const Batch& batch = {});

}  // namespace lethe::cuda
