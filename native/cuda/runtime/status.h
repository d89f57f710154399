// Errors of CUDA's runtime as the library's own.
#pragma once
#include <cuda_runtime.h>

#include <string>

#include "lethe/error.h"

namespace lethe::cuda {

inline void check(cudaError_t status, const char* op) {
  if (status != cudaSuccess)
    throw Error(status == cudaErrorMemoryAllocation ? Code::out_of_memory : Code::internal, op,
                cudaGetErrorString(status));
}

}  // namespace lethe::cuda
