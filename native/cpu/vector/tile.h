// C [m, n] (+)= A [m, k] B [k, n] for attention, the fused head and gradients of weights: C stays in registers over k,
// B is read along rows, and elements of A are broadcast, so A may be transposed for nothing. k counts units of 32 bits:
// an fp32 number, or two neighbours along k in bf16. n is a multiple of the vector width: callers pad.
#pragma once
#include "cpu/vector/bf16.h"

namespace lethe::cpu::LETHE_ISA {

// What a unit holds.
struct Single {
  static constexpr int64_t per_unit = 1;
  static LETHE_INLINE Vec rounded(Vec x) { return x; }
  static LETHE_INLINE Vec multiply_add(Vec sum, float a, Vec b) { return sum + a * b; }
};
// An fp32 number that is a bf16 one: for machines without bf16 instructions.
struct RoundedSingle : Single {
  static LETHE_INLINE Vec rounded(Vec x) { return rounded_to_bf16(x); }
};
struct Pair {
  static constexpr int64_t per_unit = 2;
  static LETHE_INLINE Vec multiply_add(Vec sum, float a, Vec b) { return multiply_add_pairs(sum, a, b); }
};

// For activations in bf16.
template <bool has_pairs>
struct Chosen {
  using Unit = Pair;
};
template <>
struct Chosen<false> {
  using Unit = Single;
};
using Bf16Unit = Chosen<has_bf16>::Unit;

// A(i, p) = units[i * row + p * column]
struct LeftBlock {
  const float* units;
  int64_t row, column;
};

// B(p, j) = units[p * stride + j]
struct RightBlock {
  const float* units;
  int64_t stride;
};

struct RowMajor {
  float* data;
  int64_t stride;
};

#if defined(__AVX512F__)
inline constexpr int64_t tile_vectors = 4;  // 6 x 4 accumulators + 4 of B + 1 of A in 32 registers
#else
inline constexpr int64_t tile_vectors = 2;  // 6 x 2 accumulators + 2 of B + 1 of A in 16 registers
#endif
inline constexpr int64_t tile_rows = 6;

template <class Unit, int64_t rows, int64_t vectors>
LETHE_INLINE void multiply_tile(int64_t k, LeftBlock a, RightBlock b, RowMajor c, bool accumulate) {
  Vec sum[rows][vectors] = {};
  if (accumulate)  // it may be far away, and comes while the products run
    LETHE_UNROLL(6)
  for (int64_t i = 0; i < rows; ++i) LETHE_UNROLL(4)
  for (int64_t j = 0; j < vectors; ++j) __builtin_prefetch(c.data + i * c.stride + j * width, 1);
  for (int64_t p = 0; p < k; ++p, b.units += b.stride, a.units += a.column) {
    Vec right[vectors];
    LETHE_UNROLL(4)
    for (int64_t j = 0; j < vectors; ++j) right[j] = load(b.units + j * width);
    LETHE_UNROLL(6)
    for (int64_t i = 0; i < rows; ++i) LETHE_UNROLL(4)
    for (int64_t j = 0; j < vectors; ++j) sum[i][j] = Unit::multiply_add(sum[i][j], a.units[i * a.row], right[j]);
  }
  LETHE_UNROLL(6)
  for (int64_t i = 0; i < rows; ++i) LETHE_UNROLL(4)
  for (int64_t j = 0; j < vectors; ++j) {
    float* to = c.data + i * c.stride + j * width;
    store(to, accumulate ? sum[i][j] + load(to) : sum[i][j]);
  }
}

template <class Unit, int64_t vectors>
void multiply_panel(int64_t m, int64_t k, LeftBlock a, RightBlock b, RowMajor c, bool accumulate) {
  for (; m >= tile_rows; m -= tile_rows, a.units += tile_rows * a.row, c.data += tile_rows * c.stride)
    multiply_tile<Unit, tile_rows, vectors>(k, a, b, c, accumulate);
  switch (m) {
    case 1:
      return multiply_tile<Unit, 1, vectors>(k, a, b, c, accumulate);
    case 2:
      return multiply_tile<Unit, 2, vectors>(k, a, b, c, accumulate);
    case 3:
      return multiply_tile<Unit, 3, vectors>(k, a, b, c, accumulate);
    case 4:
      return multiply_tile<Unit, 4, vectors>(k, a, b, c, accumulate);
    case 5:
      return multiply_tile<Unit, 5, vectors>(k, a, b, c, accumulate);
    default:
      return;
  }
}

template <class Unit>
LETHE_INLINE void multiply(int64_t m, int64_t n, int64_t k, LeftBlock a, RightBlock b, RowMajor c, bool accumulate) {
  constexpr int64_t panel = tile_vectors * width;
  int64_t j = 0;
  for (; j + panel <= n; j += panel)
    multiply_panel<Unit, tile_vectors>(m, k, a, {b.units + j, b.stride}, {c.data + j, c.stride}, accumulate);
  const int64_t rest = (n - j) / width;
  b.units += j;
  c.data += j;
  if (rest == 1) return multiply_panel<Unit, 1>(m, k, a, b, c, accumulate);
  if constexpr (tile_vectors == 4) {
    if (rest == 2) return multiply_panel<Unit, 2>(m, k, a, b, c, accumulate);
    if (rest == 3) return multiply_panel<Unit, 3>(m, k, a, b, c, accumulate);
  }
}

// The same for one panel whose columns beyond n are not there: n <= 64, and B has zeros or anything beyond.
template <class Unit>
void multiply_narrow(int64_t m, int64_t n, int64_t k, LeftBlock a, RightBlock b, RowMajor c, bool accumulate) {
  const int64_t whole = n / width * width, rest = n - whole;
  multiply<Unit>(m, whole, k, a, b, c, accumulate);
  if (rest == 0) return;
  float part[tile_rows * width];
  b.units += whole;
  for (int64_t i = 0; i < m; i += tile_rows, a.units += tile_rows * a.row) {
    const int64_t rows = m - i < tile_rows ? m - i : tile_rows;
    multiply_panel<Unit, 1>(rows, k, a, b, {part, width}, false);
    for (int64_t r = 0; r < rows; ++r) {
      float* to = c.data + (i + r) * c.stride + whole;
      const Vec sum = load(part + r * width);
      store_part(to, accumulate ? load_part(to, rest) + sum : sum, rest);
    }
  }
}

}  // namespace lethe::cpu::LETHE_ISA
