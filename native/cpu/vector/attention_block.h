// What the forward and backward passes of attention share: blocks of 48 queries by 64 keys, packed keys, visible
// ranges.
#pragma once
#include "cpu/vector/tile.h"

namespace lethe::cpu::LETHE_ISA {

inline constexpr int64_t query_block = 48, key_block = 64;

// packed[d * key_block + s] = rows[s * stride + d]; columns past `count` are 0. Four keys at a time: reads run along
// rows, and each write fills 16 bytes of a line that stays in cache.
inline void pack_transposed(const float* rows, int64_t stride, int64_t count, int64_t D, float* packed) {
  int64_t s = 0;
  for (; s + 4 <= count; s += 4) {
    const float *row0 = rows + s * stride, *row1 = row0 + stride, *row2 = row1 + stride, *row3 = row2 + stride;
    for (int64_t d = 0; d < D; ++d) {
      float* to = packed + d * key_block + s;
      to[0] = row0[d], to[1] = row1[d], to[2] = row2[d], to[3] = row3[d];
    }
  }
  for (; s < key_block; ++s)
    for (int64_t d = 0; d < D; ++d) packed[d * key_block + s] = s < count ? rows[s * stride + d] : 0;
}

// The key rows that some query of a block sees: [begin, end), empty when none does.
struct Visible {
  int64_t begin, end;
};

LETHE_INLINE Visible visible_range(const int32_t* first, const int32_t* last, int64_t count) {
  Visible range{INT32_MAX, 0};
  for (int64_t t = 0; t < count; ++t) {
    if (last[t] < first[t]) continue;
    if (first[t] < range.begin) range.begin = first[t];
    if (last[t] + 1 > range.end) range.end = last[t] + 1;
  }
  return range.end == 0 ? Visible{0, 0} : range;
}

// The columns of key block `start` that the query sees: [begin, end) within [0, key_block).
LETHE_INLINE Visible visible_columns(int32_t first, int32_t last, int64_t start) {
  const int64_t begin = first > start ? first - start : 0;
  const int64_t end = last + 1 - start < key_block ? last + 1 - start : key_block;
  return begin < end ? Visible{begin, end} : Visible{0, 0};
}

}  // namespace lethe::cpu::LETHE_ISA
