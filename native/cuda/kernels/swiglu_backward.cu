// With s = sigmoid(gate): dgate = dy up s (1 + gate (1 - s)), dup = dy gate s. All [N, F]: three reads, two writes.
// Hazard: 1 - s is computed as sigmoid(-gate), which does not cancel as s -> 1.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
__global__ void swiglu_backward_kernel(const T* gate, const T* up, const T* dy, T* dgate, T* dup, int64_t count,
                                       bool wide) {
  for (int64_t i = first_of_thread(); i < count; i += step_of_grid()) {
    float g[8], u[8], d[8];
    load_part(gate, i, count, wide, g);
    load_part(up, i, count, wide, u);
    load_part(dy, i, count, wide, d);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float s = 1 / (1 + expf(-g[j])), rest = 1 / (1 + expf(g[j])), silu = g[j] * s;
      g[j] = d[j] * u[j] * (s * (1 + g[j] * rest));
      u[j] = d[j] * silu;
    }
    store_part(dgate, i, count, wide, g);
    store_part(dup, i, count, wide, u);
  }
}

}  // namespace

void swiglu_backward(Context& context, const swiglu_backward_args& a) {
  const int64_t count = a.N * a.F;
  const bool wide = are_aligned(a.gate.data, a.up.data, a.dy.data, a.dgate.data, a.dup.data);
  with_type(a.gate.bf16, [&](auto zero) {
    using T = decltype(zero);
    launch(context.stream(), "swiglu_backward", swiglu_backward_kernel<T>, elementwise(count), data_of<T>(a.gate),
           data_of<T>(a.up), data_of<T>(a.dy), data_of<T>(a.dgate), data_of<T>(a.dup), count, wide);
  });
}

}  // namespace lethe::cuda
