// What is compiled once per instruction set. kernels() is the set chosen for this machine.
#pragma once
#include "lethe/ops.h"

namespace lethe::cpu {

// clang-format off
#define LETHE_VECTOR_OPERATORS(OP)                                                                        \
  OP(embedding_backward) OP(rms_norm) OP(rms_norm_backward) OP(rope) OP(attention) OP(attention_backward) \
  OP(swiglu) OP(swiglu_backward) OP(adamw) OP(global_norm) OP(binary) OP(unary) OP(reduce)
// clang-format on

// One chunk of the fused head, between its matrix products. See vector/unlearn_rows.cpp.
struct UnlearnRows {
  int64_t count = 0, num_forget = 0, V = 0;  // rows; the first num_forget are forget rows
  float* z = nullptr;                        // [count, V] logits; overwritten by dz when `gradient`
  float* original = nullptr;                 // [num_original, V] logits of the original model for the last rows
  int64_t num_original = 0;
  const int32_t* targets = nullptr;
  double scale_forgetting = 0, scale_replay = 0, scale_mitigation = 0;
  int64_t method = 0;
  bool gradient = false;
  bool bf16 = false;     // dz is written as bf16, in the first half of each row of z
  double* m = nullptr;   // [count]: z_y - LSE_{v != y}(z)
  double* kl = nullptr;  // [count]
};

struct Kernels {
  const char* name;
  bool bf16;  // with bf16 instructions
#define LETHE_POINTER(stem) void (*stem)(const stem##_args&);
  LETHE_VECTOR_OPERATORS(LETHE_POINTER)
#undef LETHE_POINTER
  void (*unlearn_rows)(const UnlearnRows&);
  void (*to_bf16)(const float* x, uint16_t* y, int64_t count);
  void (*from_bf16)(const uint16_t* x, float* y, int64_t count);
  void (*round_to_bf16)(const float* x, float* y, int64_t count);
  // total[c] += sum over rows of x[r, c], in an order that depends on the shape alone
  void (*add_column_sums)(const Tensor& x, int64_t rows, int64_t cols, float* total);
};

const Kernels& kernels();

namespace generic {
const Kernels& kernels();
}
namespace avx2 {
const Kernels& kernels();
}
namespace avx512 {
const Kernels& kernels();
}
namespace avx512_bf16 {
const Kernels& kernels();
}

}  // namespace lethe::cpu
