// The pass over a chunk of logits between the matrix products of the fused head.
#pragma once
#include <cstdint>

#include "cuda/kernels/arithmetic.h"
#include "cuda/kernels/gemm.h"
#include "cuda/kernels/index_error.cuh"

namespace lethe::cuda {

class Context;

struct RowPass {
  void* z = nullptr;         // [count, V], rows `stride` apart, a multiple of 8 elements; overwritten where dz is z
  const void* z0 = nullptr;  // the original's logits of the last rows, from row first_original on; or nullptr
  void* dz = nullptr;        // as z in its own type; nullptr: no gradient
  int64_t stride = 0, count = 0, V = 0;
  int64_t num_forget = 0, first_original = 0;
  const int32_t* targets = nullptr;  // [count]; rows whose target is -1 get no loss and dz = 0
  Scales scales = {};
  Forgetting method = {};
  double *m = nullptr, *kl = nullptr;  // [count]
  IndexError* error = nullptr;
};

// z in fp16 or fp32; dz in fp16 over fp16 z, else in fp32 or bf16.
void unlearn_rows(Context& context, RowPass pass, Type z, Type dz);

}  // namespace lethe::cuda
