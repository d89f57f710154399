// y[i] = f(x[i]); the kinds are those of the table. x, y [N] in fp32; y may be x.
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

__device__ float apply(int kind, float x) {
  switch (kind) {
    case 0:
      return -x;
    case 1:
      return x * x;
    case 2:
      return expf(x);
    case 3:
      return logf(x);
    case 4:
      return sqrtf(x);
    case 5:
      return 1 / sqrtf(x);
    case 6:
      return 1 / x;
    case 7:
      return fabsf(x);
    case 8:
      return x < 0 ? 0 : x;
    case 9:
      return 1 / (1 + expf(-x));
    case 10:
      return tanhf(x);
    case 11:
      return x > 0 ? 1 : 0;
    default:
      return x > 0 ? x + log1pf(expf(-x)) : log1pf(expf(x));
  }
}

__global__ void unary_kernel(const float* x, float* y, int64_t N, int kind, bool wide) {
  for (int64_t i = first_of_thread(); i < N; i += step_of_grid()) {
    float v[8];
    load_part(x, i, N, wide, v);
#pragma unroll
    for (int j = 0; j < 8; ++j) v[j] = apply(kind, v[j]);
    store_part(y, i, N, wide, v);
  }
}

}  // namespace

void unary(Context& context, const unary_args& a) {
  launch(context.stream(), "unary", unary_kernel, elementwise(a.N), a.x.f32(), a.y.f32(), a.N, static_cast<int>(a.kind),
         are_aligned(a.x.data, a.y.data));
}

}  // namespace lethe::cuda
