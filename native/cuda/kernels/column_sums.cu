// sums[d] += sum over g of partial[g, d]. Blocks of 32 columns by 8 threads, each over every eighth group: reads of a
// group are 128 bytes wide. Deterministic: the order depends on the shape alone.
#include "cuda/kernels/column_sums.h"
#include "cuda/runtime/context.h"
#include "ptx.cuh"

namespace lethe::cuda {
namespace {

__global__ void column_sums_kernel(const float* partial, int64_t groups, int64_t D, float* sums) {
  __shared__ float part[8][32];
  const int64_t d = int64_t{blockIdx.x} * 32 + threadIdx.x;
  float sum = 0;
  if (d < D)
    for (int64_t g = threadIdx.y; g < groups; g += 8) sum += partial[g * D + d];
  part[threadIdx.y][threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.y != 0 || d >= D) return;
  for (int i = 1; i < 8; ++i) sum += part[i][threadIdx.x];
  sums[d] += sum;
}

}  // namespace

void add_column_sums(Context& context, const char* op, const float* partial, int64_t groups, int64_t D, float* sums) {
  launch(context.stream(), op, column_sums_kernel, {dim3(static_cast<unsigned>((D + 31) / 32)), dim3(32, 8)}, partial,
         groups, D, sums);
}

}  // namespace lethe::cuda
