// C [m, n] (+)= A [m, k] B [k, n] for the blocks of attention: C stays in registers over k, B is read along rows, and
// elements of A are broadcast, so A may be transposed for nothing.
#pragma once
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

// A(i, p) = a[i * row + p * column]
struct LeftBlock {
  const float* a;
  int64_t row, column;
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

// tail: how many lanes of the last vector are there, `width` for all of them.
template <int64_t rows, int64_t vectors>
LETHE_INLINE void multiply_tile(int64_t k, LeftBlock a, const float* b, int64_t b_stride, float* c, int64_t c_stride,
                                int64_t tail, bool accumulate) {
  const auto read = [&](const float* p, int64_t j) {
    return j + 1 < vectors || tail == width ? load(p + j * width) : load_part(p + j * width, tail);
  };
  Vec sum[rows][vectors] = {};
  for (int64_t p = 0; p < k; ++p, b += b_stride, a.a += a.column) {
    Vec right[vectors];
#pragma GCC unroll 4
    for (int64_t j = 0; j < vectors; ++j) right[j] = read(b, j);
#pragma GCC unroll 6
    for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 4
      for (int64_t j = 0; j < vectors; ++j) sum[i][j] = sum[i][j] + a.a[i * a.row] * right[j];
  }
#pragma GCC unroll 6
  for (int64_t i = 0; i < rows; ++i)
#pragma GCC unroll 4
    for (int64_t j = 0; j < vectors; ++j) {
      float* to = c + i * c_stride + j * width;
      const Vec value = accumulate ? sum[i][j] + read(c + i * c_stride, j) : sum[i][j];
      if (j + 1 < vectors || tail == width)
        store(to, value);
      else
        store_part(to, value, tail);
    }
}

template <int64_t vectors>
void multiply_panel(int64_t m, int64_t k, LeftBlock a, const float* b, int64_t b_stride, float* c, int64_t c_stride,
                    int64_t tail, bool accumulate) {
  for (int64_t i = 0; i < m; i += tile_rows, a.a += tile_rows * a.row, c += tile_rows * c_stride) switch (m - i) {
      case 1:
        multiply_tile<1, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
      case 2:
        multiply_tile<2, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
      case 3:
        multiply_tile<3, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
      case 4:
        multiply_tile<4, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
      case 5:
        multiply_tile<5, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
      default:
        multiply_tile<6, vectors>(k, a, b, b_stride, c, c_stride, tail, accumulate);
        break;
    }
}

LETHE_INLINE void multiply(int64_t m, int64_t n, int64_t k, LeftBlock a, const float* b, int64_t b_stride, RowMajor c,
                           bool accumulate) {
  int64_t j = 0;
  for (; j + tile_vectors * width <= n; j += tile_vectors * width)
    multiply_panel<tile_vectors>(m, k, a, b + j, b_stride, c.data + j, c.stride, width, accumulate);
  for (; j + width <= n; j += width)
    multiply_panel<1>(m, k, a, b + j, b_stride, c.data + j, c.stride, width, accumulate);
  if (j < n) multiply_panel<1>(m, k, a, b + j, b_stride, c.data + j, c.stride, n - j, accumulate);
}

}  // namespace lethe::cpu::LETHE_ISA
