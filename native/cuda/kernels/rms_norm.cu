// sum = x + residual; rstd = 1 / sqrt(mean(sum^2) + epsilon); y = sum rstd weight.
// x, residual, sum, y [N, D], weight [D], rstd [N]. One block per row, which it keeps in registers: x and residual are
// read once, sum and y written once. Hazard: y is scaled from the fp32 sum, before that is rounded for storage.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/row_threads.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
struct Rows {
  const T *x, *residual;
  const float* weight;
  T *sum, *y;
  float* rstd;
  int64_t D;
  float epsilon;
  bool wide;
};

template <class T>
__global__ void __launch_bounds__(max_row_threads) rms_norm_kernel(Rows<T> a) {
  __shared__ float partial[32];
  const int64_t at = int64_t{blockIdx.x} * a.D;
  float row[max_row_groups][8];
  float squares = 0;
#pragma unroll
  for (int k = 0; k < max_row_groups; ++k) {
    const int64_t i = (int64_t{k} * blockDim.x + threadIdx.x) * 8;
    if (i >= a.D) break;
    load_part(a.x + at, i, a.D, a.wide, row[k]);
    if (a.residual) {
      float other[8];
      load_part(a.residual + at, i, a.D, a.wide, other);
#pragma unroll
      for (int j = 0; j < 8; ++j) row[k][j] += other[j];
    }
    if (a.sum) store_part(a.sum + at, i, a.D, a.wide, row[k]);
#pragma unroll
    for (int j = 0; j < 8; ++j) squares += row[k][j] * row[k][j];
  }
  const float mean = block_sum(squares, partial) / static_cast<float>(a.D);
  const float rstd = 1 / sqrtf(mean + a.epsilon);
  if (threadIdx.x == 0) a.rstd[blockIdx.x] = rstd;
#pragma unroll
  for (int k = 0; k < max_row_groups; ++k) {
    const int64_t i = (int64_t{k} * blockDim.x + threadIdx.x) * 8;
    if (i >= a.D) break;
    float weight[8];
    load_part(a.weight, i, a.D, a.wide, weight);
#pragma unroll
    for (int j = 0; j < 8; ++j) row[k][j] *= rstd * weight[j];
    store_part(a.y + at, i, a.D, a.wide, row[k]);
  }
}

}  // namespace

void rms_norm(Context& context, const rms_norm_args& a) {
  if (a.N == 0 || a.D == 0) return;
  require_row("rms_norm", a.D);
  with_type(a.x.bf16, [&](auto zero) {
    using T = decltype(zero);
    const bool wide = a.D % 8 == 0 && are_aligned(a.x.data, a.residual.data, a.weight.data, a.sum.data, a.y.data);
    const Rows<T> rows{data_of<T>(a.x),
                       data_of<T>(a.residual),
                       a.weight.f32(),
                       data_of<T>(a.sum),
                       data_of<T>(a.y),
                       a.rstd.f32(),
                       a.D,
                       static_cast<float>(a.epsilon),
                       wide};
    launch(context.stream(), "rms_norm", rms_norm_kernel<T>, {dim3(static_cast<unsigned>(a.N)), dim3(row_threads(a.D))},
           rows);
  });
}

}  // namespace lethe::cuda
