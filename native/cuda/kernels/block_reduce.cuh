// Sums and maxima over a block, in an order that depends on the shape of the block alone.
#pragma once
#include "ptx.cuh"

namespace lethe::cuda {

// The block's result, in every thread. `partial` is shared memory of 32 elements that may be used again after the next
// __syncthreads. Blocks are whole warps.
template <class T>
__device__ T block_sum(T x, T* partial) {
  x = warp_sum(x);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  x = lane < static_cast<int>(blockDim.x) / 32 ? partial[lane] : T{0};
  return warp_sum(x);
}

__device__ inline float block_max(float x, float* partial) {
  x = warp_max(x);
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  if (lane == 0) partial[warp] = x;
  __syncthreads();
  x = partial[lane < static_cast<int>(blockDim.x) / 32 ? lane : 0];
  return warp_max(x);
}

}  // namespace lethe::cuda
