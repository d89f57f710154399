// dx = dsum + rstd (dy weight - x rstd^2 mean(dy weight x)); dweight += sum over rows of dy x rstd.
// x, dy, dsum, dx [N, D], weight, dweight [D], rstd [N]. A block takes every gridDim.x-th row, keeps it in registers
// and adds its part of dweight there; the blocks' parts are then added in order (column_sums.cu). x, dy and dsum are
// read once, dx written once. Hazard: dx may be dsum, so each thread reads dsum where it writes dx.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/column_sums.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/row_threads.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
struct Rows {
  const T *x, *dy, *dsum;
  const float *weight, *rstd;
  T* dx;
  float* partial;  // [gridDim.x, D], or nullptr
  int64_t N, D;
  bool wide;
};

template <class T, int groups>
__global__ void __launch_bounds__(max_row_threads) rms_norm_backward_kernel(Rows<T> a) {
  __shared__ float shared[2][32];
  float dweight[groups][8] = {};
  int turn = 0;
  for (int64_t n = blockIdx.x; n < a.N; n += gridDim.x, turn ^= 1) {
    const int64_t at = n * a.D;
    const float rstd = a.rstd[n];
    float x[groups][8], g[groups][8];  // g = dy weight
    float dot = 0;
#pragma unroll
    for (int k = 0; k < groups; ++k) {
      const int64_t i = (int64_t{k} * blockDim.x + threadIdx.x) * 8;
      if (i >= a.D) break;
      float weight[8];
      load_part(a.x + at, i, a.D, a.wide, x[k]);
      load_part(a.dy + at, i, a.D, a.wide, g[k]);
      load_part(a.weight, i, a.D, a.wide, weight);
#pragma unroll
      for (int j = 0; j < 8; ++j) {
        dweight[k][j] += g[k][j] * (x[k][j] * rstd);
        g[k][j] *= weight[j];
        dot += g[k][j] * x[k][j];
      }
    }
    const float pull = block_sum(dot, shared[turn]) / static_cast<float>(a.D) * rstd * rstd;
#pragma unroll
    for (int k = 0; k < groups; ++k) {
      const int64_t i = (int64_t{k} * blockDim.x + threadIdx.x) * 8;
      if (i >= a.D) break;
      float dx[8] = {};
      if (a.dsum) load_part(a.dsum + at, i, a.D, a.wide, dx);
#pragma unroll
      for (int j = 0; j < 8; ++j) dx[j] += rstd * (g[k][j] - x[k][j] * pull);
      store_part(a.dx + at, i, a.D, a.wide, dx);
    }
  }
  if (!a.partial) return;
#pragma unroll
  for (int k = 0; k < groups; ++k) {
    const int64_t i = (int64_t{k} * blockDim.x + threadIdx.x) * 8;
    if (i >= a.D) break;
    store_part(a.partial + blockIdx.x * a.D, i, a.D, a.wide, dweight[k]);
  }
}

}  // namespace

void rms_norm_backward(Context& context, const rms_norm_backward_args& a) {
  if (a.N == 0 || a.D == 0) return;
  require_row("rms_norm_backward", a.D);
  Scratch scratch(context.workspace());
  const int64_t most = int64_t{context.num_multiprocessors()} * 4, blocks = a.N < most ? a.N : most;
  float* partial = a.dweight ? scratch.of<float>(blocks * a.D) : nullptr;
  with_type(a.x.bf16, [&](auto zero) {
    using T = decltype(zero);
    const bool wide = a.D % 8 == 0 && are_aligned(a.x.data, a.dy.data, a.dsum.data, a.weight.data, a.dx.data);
    const Rows<T> rows{data_of<T>(a.x),
                       data_of<T>(a.dy),
                       data_of<T>(a.dsum),
                       a.weight.f32(),
                       a.rstd.f32(),
                       data_of<T>(a.dx),
                       partial,
                       a.N,
                       a.D,
                       wide};
    const int64_t groups = (a.D + max_row_threads * 8 - 1) / (max_row_threads * 8);
    const auto kernel = groups == 1   ? rms_norm_backward_kernel<T, 1>
                        : groups == 2 ? rms_norm_backward_kernel<T, 2>
                                      : rms_norm_backward_kernel<T, max_row_groups>;
    launch(context.stream(), "rms_norm_backward", kernel, {dim3(static_cast<unsigned>(blocks)), dim3(row_threads(a.D))},
           rows);
  });
  if (partial) add_column_sums(context, "rms_norm_backward", partial, blocks, a.D, a.dweight.f32());
}

}  // namespace lethe::cuda
