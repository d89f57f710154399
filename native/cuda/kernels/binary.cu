// y[i] = f(a[(i / a_repeat) % A], b[(i / b_repeat) % B]); max and min pass NaN on. y [N] may be a or b: a thread reads
// what it writes over before it does, and a broadcast operand is never y (its size differs).
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

__device__ float apply(int kind, float x, float y) {
  switch (kind) {
    case 0:
      return x + y;
    case 1:
      return x - y;
    case 2:
      return x * y;
    case 3:
      return x / y;
    case 4:
      return x > y || x != x ? x : y;
    default:
      return x < y || x != x ? x : y;
  }
}

struct Broadcast {
  int64_t count, repeat;
};

template <class T>
__device__ void load_operand(const T* x, const Broadcast& how, int64_t i, int64_t N, bool wide, float (&out)[8]) {
  if (how.count == N && how.repeat == 1) return load_part(x, i, N, wide, out);
#pragma unroll
  for (int j = 0; j < 8; ++j) out[j] = i + j < N ? to_float(x[(i + j) / how.repeat % how.count]) : 0;
}

template <class T>
__global__ void binary_kernel(const T* a, const T* b, T* y, int64_t N, Broadcast of_a, Broadcast of_b, int kind,
                              bool wide) {
  for (int64_t i = first_of_thread(); i < N; i += step_of_grid()) {
    float left[8], right[8];
    load_operand(a, of_a, i, N, wide, left);
    load_operand(b, of_b, i, N, wide, right);
#pragma unroll
    for (int j = 0; j < 8; ++j) left[j] = apply(kind, left[j], right[j]);
    store_part(y, i, N, wide, left);
  }
}

}  // namespace

void binary(Context& context, const binary_args& a) {
  const bool wide = are_aligned(a.a.data, a.b.data, a.y.data);
  with_type(a.a.bf16, [&](auto zero) {
    using T = decltype(zero);
    launch(context.stream(), "binary", binary_kernel<T>, elementwise(a.N), data_of<T>(a.a), data_of<T>(a.b),
           data_of<T>(a.y), a.N, Broadcast{a.A, a.a_repeat}, Broadcast{a.B, a.b_repeat}, static_cast<int>(a.kind),
           wide);
  });
}

}  // namespace lethe::cuda
