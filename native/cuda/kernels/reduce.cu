// x seen as [O, D, I] is reduced over D to y [O, I]: sum, mean or max, which passes NaN on; an empty sum is 0. Where I
// is large a thread takes one result, and neighbours read neighbours; otherwise a block does. Sums in fp64: a long sum
// of numbers of both signs cancels.
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int64_t narrow = 32;

struct Reduction {
  const float* x;
  float* y;
  int64_t O, D, I;
  int kind;

  __device__ double start() const { return kind == 2 ? -INFINITY : 0; }
  __device__ double add(double total, float value) const {
    return kind == 2 ? larger(value, static_cast<float>(total)) : total + value;
  }
  __device__ float finish(double total) const {
    return static_cast<float>(kind == 1 ? total / static_cast<double>(D) : total);
  }
};

__global__ void reduce_columns_kernel(Reduction a) {
  for (int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; at < a.O * a.I;
       at += int64_t{gridDim.x} * blockDim.x) {
    const int64_t o = at / a.I, i = at % a.I;
    double total = a.start();
    for (int64_t d = 0; d < a.D; ++d) total = a.add(total, a.x[(o * a.D + d) * a.I + i]);
    a.y[at] = a.finish(total);
  }
}

__global__ void reduce_rows_kernel(Reduction a) {
  __shared__ double sums[2][32];
  __shared__ float tops[2][32];
  int turn = 0;
  for (int64_t at = blockIdx.x; at < a.O * a.I; at += gridDim.x, turn ^= 1) {
    const int64_t o = at / a.I, i = at % a.I;
    double total = a.start();
    for (int64_t d = threadIdx.x; d < a.D; d += blockDim.x) total = a.add(total, a.x[(o * a.D + d) * a.I + i]);
    total = a.kind == 2 ? block_max(static_cast<float>(total), tops[turn]) : block_sum(total, sums[turn]);
    if (threadIdx.x == 0) a.y[at] = a.finish(total);
  }
}

}  // namespace

void reduce(Context& context, const reduce_args& a) {
  const Reduction reduction{a.x.f32(), a.y.f32(), a.O, a.D, a.I, static_cast<int>(a.kind)};
  const int64_t results = a.O * a.I;
  if (a.I >= narrow || a.D < 64)
    return launch(context.stream(), "reduce", reduce_columns_kernel, elementwise(results * 8), reduction);
  launch(context.stream(), "reduce", reduce_rows_kernel,
         {dim3(static_cast<unsigned>(results < 65536 ? results : 65536)), dim3(256)}, reduction);
}

}  // namespace lethe::cuda
