// What is compiled once per instruction set. kernels() is the set chosen for this machine.
#pragma once
#include "lethe/ops.h"

namespace lethe::cpu {

// clang-format off
#define LETHE_VECTOR_OPERATORS(OP)                                                                        \
  OP(embedding_backward) OP(rms_norm) OP(rms_norm_backward) OP(rope) OP(attention) OP(attention_backward) \
  OP(swiglu) OP(swiglu_backward) OP(adamw) OP(global_norm) OP(binary) OP(unary) OP(reduce)
// clang-format on

inline constexpr int64_t panel_columns = 64;

// The right matrix B [K, N] of a product: x itself, or the transpose of x [N, K].
struct PanelShape {
  int64_t K = 0, N = 0;
  bool transposed = false;

  // Rows of a panel, padded as oneDNN has it.
  int64_t depth(bool bf16) const { return bf16 ? (K + 31) / 32 * 32 : (K + 15) / 16 * 16; }
  size_t bytes(bool bf16) const {
    return static_cast<size_t>((N + panel_columns - 1) / panel_columns * panel_columns * depth(bf16)) * (bf16 ? 2 : 4);
  }
};

// A matrix of bf16, `stride` elements from row to row.
struct HalfMatrix {
  const uint16_t* data;
  int64_t stride;
};

// C [M, N] += A^T B, A [K, M], B [K, N].
struct TransposedProduct {
  int64_t M = 0, N = 0, K = 0;
  HalfMatrix a, b;
  float* c;
  int64_t c_stride;
};

// One chunk of the fused head, between its matrix products. See vector/unlearn_rows.cpp.
struct UnlearnRows {
  int64_t count = 0, num_forget = 0, V = 0;  // rows; the first num_forget are forget rows
  float* z = nullptr;                        // [count, V] logits, overwritten
  float* original = nullptr;                 // [num_original, V] logits of the original model for the last rows
  void* dz = nullptr;                        // [count, V]: fp32 or bf16; z itself, other memory, or no gradient
  int64_t num_original = 0;
  const int32_t* targets = nullptr;
  double scale_forgetting = 0, scale_replay = 0, scale_mitigation = 0;
  int64_t method = 0;
  bool bf16 = false;     // dz is bf16
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
  void (*pack_panels)(const Tensor& x, const PanelShape& shape, bool bf16, float* units);
  void (*add_transposed_product)(const TransposedProduct& product);  // only with bf16 instructions
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
