// y = silu(gate) up. gate, up, y [N, F]: two reads, one write. silu(x) = x / (1 + exp(-x)): exp(-x) = inf gives 0.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
__global__ void swiglu_kernel(const T* gate, const T* up, T* y, int64_t count, bool wide) {
  for (int64_t i = first_of_thread(); i < count; i += step_of_grid()) {
    float g[8], u[8];
    load_part(gate, i, count, wide, g);
    load_part(up, i, count, wide, u);
#pragma unroll
    for (int j = 0; j < 8; ++j) g[j] = g[j] / (1 + expf(-g[j])) * u[j];
    store_part(y, i, count, wide, g);
  }
}

}  // namespace

void swiglu(Context& context, const swiglu_args& a) {
  const int64_t count = a.N * a.F;
  const bool wide = are_aligned(a.gate.data, a.up.data, a.y.data);
  with_type(a.gate.bf16, [&](auto zero) {
    using T = decltype(zero);
    launch(context.stream(), "swiglu", swiglu_kernel<T>, elementwise(count), data_of<T>(a.gate), data_of<T>(a.up),
           data_of<T>(a.y), count, wide);
  });
}

}  // namespace lethe::cuda
