// sum_squares += sum of x^2. x [N] in fp32, read once. Blocks leave their sums in fp64, one block adds them in order:
// the result depends on N alone. NaN and inf pass through.
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int64_t most_blocks = 1024;

__global__ void squares_kernel(const float* x, int64_t N, bool wide, double* sums) {
  __shared__ double partial[32];
  double total = 0;
  for (int64_t i = first_of_thread(); i < N; i += step_of_grid()) {
    float v[8];
    load_part(x, i, N, wide, v);
    float squares = 0;
#pragma unroll
    for (int j = 0; j < 8; ++j) squares += v[j] * v[j];
    total += squares;
  }
  total = block_sum(total, partial);
  if (threadIdx.x == 0) sums[blockIdx.x] = total;
}

__global__ void add_kernel(const double* sums, int count, float* sum_squares) {
  __shared__ double partial[32];
  double total = 0;
  for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) total += sums[i];
  total = block_sum(total, partial);
  if (threadIdx.x == 0) *sum_squares = static_cast<float>(*sum_squares + total);
}

}  // namespace

void global_norm(Context& context, const global_norm_args& a) {
  if (a.N == 0) return;
  Scratch scratch(context.workspace());
  const int64_t needed = (a.N + 2047) / 2048, blocks = needed < most_blocks ? needed : most_blocks;
  auto* sums = scratch.of<double>(blocks);
  launch(context.stream(), "global_norm", squares_kernel, {dim3(static_cast<unsigned>(blocks)), dim3(256)}, a.x.f32(),
         a.N, is_aligned(a.x.data), sums);
  launch(context.stream(), "global_norm", add_kernel, {dim3(1), dim3(256)}, sums, static_cast<int>(blocks),
         a.sum_squares.f32());
}

}  // namespace lethe::cuda
