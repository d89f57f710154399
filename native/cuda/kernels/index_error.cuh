// An index that leaves its range is found by a kernel, which cannot throw: it writes down the first one, and the next
// synchronisation throws it (docs/cuda.md).
#pragma once
#include "cuda/kernels/number.h"

namespace lethe::cuda {

enum class IndexKind : int { ids, positions, targets, key_rows };

struct IndexError {
  int is_set;
  int op;  // position in the operator table
  IndexKind kind;
  int index, value, low, high;  // high is excluded
};

}  // namespace lethe::cuda

#if defined(__CUDACC__) || defined(LETHE_CUDA_ON_HOST)
#define LETHE_IN_KERNELS 1
#include "ptx.cuh"
#endif

namespace lethe::cuda {

#ifdef LETHE_IN_KERNELS
__device__ inline void report(IndexError* error, int op, IndexKind kind, int64_t index, int value, int64_t high) {
  if (atomicCAS(&error->is_set, 0, 1) != 0) return;
  error->op = op;
  error->kind = kind;
  error->index = static_cast<int>(index);
  error->value = value;
  error->low = kind == IndexKind::targets ? -1 : 0;
  error->high = static_cast<int>(high);
}
#endif

}  // namespace lethe::cuda
