// What is compiled once per instruction set. kernels() is the set chosen for this machine.
#pragma once
#include "core/forgetting.h"
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

// A block of rows of the fused head, all of one kind. See vector/unlearn_block.cpp.
struct UnlearnBlock {
  int64_t rows = 0, D = 0, V = 0;
  const Tensor *weight = nullptr, *hidden = nullptr;                    // [V, D]; dense [rows, D]
  const Tensor *original_weight = nullptr, *original_hidden = nullptr;  // of replay rows, or neither
  const int32_t *targets = nullptr, *by_target = nullptr;  // [rows]; the rows in ascending order of their targets
  bool forget = false;
  Forgetting method;
  double scale_forgetting = 0, scale_replay = 0, scale_mitigation = 0;
  bool bf16 = false;         // inputs of products are rounded to bf16
  double* m = nullptr;       // [rows]: z_y - LSE_{v != y}(z)
  double* kl = nullptr;      // [rows]: 0 without an original
  float* dhidden = nullptr;  // [rows, dhidden_stride(D)], or nullptr
  float* dweight = nullptr;  // [V, D], added to, or nullptr

  // Whether something is held of the block's logits: a number each, 2 bytes with bf16 or 4, and another one for the
  // original's.
  bool keeps_logits() const { return dhidden || dweight || original_weight; }
};

inline int64_t dhidden_stride(int64_t D) { return (D + panel_columns - 1) / panel_columns * panel_columns; }

struct Kernels {
  const char* name;
  bool bf16;  // with bf16 instructions
#define LETHE_POINTER(stem) void (*stem)(const stem##_args&);
  LETHE_VECTOR_OPERATORS(LETHE_POINTER)
#undef LETHE_POINTER
  void (*unlearn_block)(const UnlearnBlock&);
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
