// The right matrix B [K, N] of a product, packed for it: panels of 64 columns, in each of them K / per_unit rows of 64
// units, where a unit is an fp32 number or two neighbours along K in bf16. What is beyond K and N is 0. This is
// oneDNN's BA16a64b (fp32, K padded to 16) and BA16a64b2a (bf16, K padded to 32). Bound by memory.
#pragma once
#include "cpu/vector/operators.h"
#include "cpu/vector/tile.h"

namespace lethe::cpu::LETHE_ISA {

// `width` units of a row of x from element k on, of which `count` elements are there: neighbours along the row.
template <class Unit, class E>
LETHE_INLINE Vec units_along(const E* row, int64_t count) {
  if constexpr (Unit::per_unit == 1) {
    return Unit::rounded(count >= width ? load(row) : count > 0 ? load_part(row, count) : Vec{});
  } else {
    uint16_t halves[2 * width] = {};
    for (int64_t part = 0; part < 2; ++part, row += width, count -= width) {
      if (count >= width)
        store_bf16(halves + part * width, load(row));
      else if (count > 0)
        store_bf16(halves + part * width, load_part(row, count));
    }
    return load(reinterpret_cast<const float*>(halves));
  }
}

// Units of columns c, c + 1, ... of rows k and k + 1 (with Pair) of x, rows of `stride` elements, of which K rows and
// `count` columns are there.
template <class Unit, class E>
LETHE_INLINE Vec units_across(const E* x, int64_t k, int64_t K, int64_t stride, int64_t count) {
  const auto read = [=](int64_t row) {
    if (row >= K || count <= 0) return Vec{};
    return count >= width ? load(x + row * stride) : load_part(x + row * stride, count);
  };
  if constexpr (Unit::per_unit == 1)
    return Unit::rounded(read(k));
  else
    return bf16_pairs(read(k), read(k + 1));
}

// A panel of B = x^T, x [N, K], from row `begin` to row `end` of B: squares of `width` rows of x and `width` units are
// turned.
template <class Unit, class E>
void pack_transposed(const E* x, const PanelShape& s, int64_t column, int64_t begin, int64_t end, float* panel) {
  for (int64_t c = 0; c < panel_columns; c += width)
    for (int64_t k = begin; k < end; k += width * Unit::per_unit) {
      Vec square[width] = {};
      for (int64_t i = 0; i < width && column + c + i < s.N; ++i)
        square[i] = units_along<Unit>(x + (column + c + i) * s.K + k, s.K - k);
      transpose(square);
      const int64_t rows = (end - k) / Unit::per_unit < width ? (end - k) / Unit::per_unit : width;
      for (int64_t i = 0; i < rows; ++i) store(panel + (k / Unit::per_unit + i) * panel_columns + c, square[i]);
    }
}

// A panel of B = x [K, N].
template <class Unit, class E>
void pack_plain(const E* x, const PanelShape& s, int64_t column, int64_t begin, int64_t end, float* panel) {
  for (int64_t k = begin; k < end; k += Unit::per_unit)
    for (int64_t c = 0; c < panel_columns; c += width)
      store(panel + k / Unit::per_unit * panel_columns + c,
            units_across<Unit>(x + column + c, k, s.K, s.N, s.N - column - c));
}

// All panels.
template <class Unit, class E>
void pack(const E* x, const PanelShape& s, float* units) {
  constexpr int64_t depth_block = 512;  // rows of B that a thread takes at a time; a multiple of 32
  const int64_t depth = s.depth(Unit::per_unit == 2), blocks = (depth + depth_block - 1) / depth_block;
  parallel_for(s.K * s.N > 16384, (s.N + panel_columns - 1) / panel_columns * blocks, [&](int64_t i) {
    const int64_t panel = i / blocks, begin = i % blocks * depth_block;
    const int64_t end = begin + depth_block < depth ? begin + depth_block : depth;
    float* to = units + panel * (depth / Unit::per_unit) * panel_columns;
    if (s.transposed)
      pack_transposed<Unit>(x, s, panel * panel_columns, begin, end, to);
    else
      pack_plain<Unit>(x, s, panel * panel_columns, begin, end, to);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
