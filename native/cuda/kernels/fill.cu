// y[i] = value. y [N] in fp32: one write.
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

__global__ void fill_kernel(float* y, int64_t N, float value, bool wide) {
  const float values[8] = {value, value, value, value, value, value, value, value};
  for (int64_t i = first_of_thread(); i < N; i += step_of_grid()) store_part(y, i, N, wide, values);
}

}  // namespace

void fill(Context& context, const fill_args& a) {
  launch(context.stream(), "fill", fill_kernel, elementwise(a.N), a.y.f32(), a.N, static_cast<float>(a.value),
         is_aligned(a.y.data));
}

}  // namespace lethe::cuda
