// c [m, n] = alpha a [m, k] b [k, n] + beta c. The plain kernel: blocks of 16 x 16 threads, each of 2 x 2 results, over
// tiles of 32 x 32 in shared memory; fp32 accumulation in the order of k. Slow, right for any shape and alignment; what
// runs fast is cuBLASLt.
#include "cuda/kernels/gemm.h"
#include "cuda/runtime/context.h"
#include "cuda/runtime/cublaslt.h"
#include "ptx.cuh"

namespace lethe::cuda {
namespace {

constexpr int tile = 32;

struct Operands {
  const void *a, *b;
  void* c;
  int64_t m, n, k, a_stride, b_stride, c_stride, a_size, b_size, c_size, count, a_count, b_count;
  float alpha, beta;
  bool a_transposed, b_transposed;
};

// The tile at m0, n0 of product p.
template <class T, class C>
__device__ void multiply_tile(const Operands& o, int64_t p, int64_t m0, int64_t n0) {
  __shared__ float left[tile][tile + 1], right[tile][tile + 1];
  const T* a = static_cast<const T*>(o.a) + p % o.a_count * o.a_size;
  const T* b = static_cast<const T*>(o.b) + p % o.b_count * o.b_size;
  const int x = static_cast<int>(threadIdx.x), y = static_cast<int>(threadIdx.y), thread = y * 16 + x;
  float sum[2][2] = {};
  for (int64_t k0 = 0; k0 < o.k; k0 += tile) {
    for (int i = thread; i < tile * tile; i += 256) {
      // Neighbouring threads read neighbouring memory, whichever way the operand lies.
      const int fast = i % tile, slow = i / tile;
      const int row = o.a_transposed ? fast : slow, ka = o.a_transposed ? slow : fast;
      const int kb = o.b_transposed ? fast : slow, column = o.b_transposed ? slow : fast;
      const bool has_a = m0 + row < o.m && k0 + ka < o.k, has_b = n0 + column < o.n && k0 + kb < o.k;
      const int64_t at_a = o.a_transposed ? (k0 + ka) * o.a_stride + m0 + row : (m0 + row) * o.a_stride + k0 + ka;
      const int64_t at_b = o.b_transposed ? (n0 + column) * o.b_stride + k0 + kb : (k0 + kb) * o.b_stride + n0 + column;
      left[row][ka] = has_a ? to_float(a[at_a]) : 0;
      right[kb][column] = has_b ? to_float(b[at_b]) : 0;
    }
    __syncthreads();
    for (int k = 0; k < tile; ++k)
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) sum[i][j] += left[y + 16 * i][k] * right[k][x + 16 * j];
    __syncthreads();
  }
  C* c = static_cast<C*>(o.c) + p * o.c_size;
  for (int i = 0; i < 2; ++i)
    for (int j = 0; j < 2; ++j) {
      const int64_t row = m0 + y + 16 * i, column = n0 + x + 16 * j;
      if (row >= o.m || column >= o.n) continue;
      C& to = c[row * o.c_stride + column];
      from_float(o.alpha * sum[i][j] + (o.beta != 0 ? o.beta * to_float(to) : 0), to);
    }
}

// Grids are limited to 65535 in y and z: blocks step through what is beyond.
template <class T, class C>
__global__ void __launch_bounds__(256) plain_gemm_kernel(Operands o) {
  for (int64_t p = blockIdx.z; p < o.count; p += gridDim.z)
    for (int64_t m0 = int64_t{blockIdx.y} * tile; m0 < o.m; m0 += int64_t{gridDim.y} * tile)
      multiply_tile<T, C>(o, p, m0, int64_t{blockIdx.x} * tile);
}

using Kernel = void (*)(Operands);

Kernel kernel_of(Type in, Type out) {
  if (in == Type::f32) return plain_gemm_kernel<float, float>;
  if (in == Type::bf16) return out == Type::f32 ? plain_gemm_kernel<Bf16, float> : plain_gemm_kernel<Bf16, Bf16>;
  return out == Type::f32 ? plain_gemm_kernel<Half, float> : plain_gemm_kernel<Half, Half>;
}

}  // namespace

void plain_gemm(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b,
                const Product& c, const Batch& batch) {
  const Operands operands{
      a.data,      b.data,        c.data,        shape.m,           shape.n,           shape.k,
      a.stride,    b.stride,      c.stride,      shape.m * shape.k, shape.k * shape.n, shape.m * shape.n,
      batch.count, batch.a_count, batch.b_count, shape.alpha,       shape.beta,        a.transposed,
      b.transposed};
  const auto tiles = [](int64_t count) { return (count + tile - 1) / tile; };
  const auto limited = [](int64_t count) { return static_cast<unsigned>(count < 65535 ? count : 65535); };
  launch(context.stream(), op, kernel_of(a.type, c.type),
         {dim3(static_cast<unsigned>(tiles(shape.n)), limited(tiles(shape.m)), limited(batch.count)), dim3(16, 16)},
         operands);
}

void gemm(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b,
          const Product& c) {
  if (shape.m == 0 || shape.n == 0) return;
  // An empty sum is 0 (or c as it was), which cuBLASLt will not be asked for.
  if (shape.k > 0 && !context.settings().plain_gemm) {
    if (context.cublaslt().run(context, op, shape, a, b, c)) return;
    ++context.plain_products();
  }
  plain_gemm(context, op, shape, a, b, c);
}

}  // namespace lethe::cuda
