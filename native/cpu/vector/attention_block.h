// What the forward and backward passes of attention share. Queries go through in tiles of 6 rows and keys in blocks of
// 64; the head size is padded with zeros to whole vectors, so that tiles have no tails. With Pair, operands are packed
// as pairs of bf16 along the dimension that is summed over; with Single they are fp32, whatever activations are.
#pragma once
#include "cpu/vector/operators.h"
#include "cpu/vector/tile.h"

namespace lethe::cpu::LETHE_ISA {

inline constexpr int64_t key_block = 64;
inline constexpr int64_t column_group = 16;  // keys that a tile does not see are skipped by so many
inline constexpr double log2_e = 1.4426950408889634;

LETHE_INLINE int64_t at_most(int64_t x, int64_t bound) { return x < bound ? x : bound; }
LETHE_INLINE int64_t at_least(int64_t x, int64_t bound) { return x > bound ? x : bound; }
LETHE_INLINE int64_t round_up(int64_t x, int64_t multiple) { return (x + multiple - 1) / multiple * multiple; }

// One head of x [., heads, D]: element (t, d) is data[t * stride + d].
template <class E>
struct Head {
  const E* data;
  int64_t stride, D;

  int64_t width_padded() const { return round_up(D, column_group); }
  LETHE_INLINE const E* at(int64_t t, int64_t d) const {
    const E* p = data + t * stride + d;
    __builtin_prefetch(p + 8 * stride);  // rows of a head are far apart: no hardware prefetcher follows
    return p;
  }
  LETHE_INLINE Vec read(int64_t t, int64_t d) const {
    const E* p = at(t, d);
    return d + width <= D ? load(p) : d < D ? load_part(p, D - d) : Vec{};
  }
  // Without widening; only of bf16.
  LETHE_INLINE HalfVec read_halves(int64_t t, int64_t d) const {
    const E* p = at(t, d);
    return d + width <= D ? load_halves(p) : d < D ? load_halves_part(p, D - d) : HalfVec{};
  }
};

// Head h of sequence b of x [., length, heads, D].
template <class E>
LETHE_INLINE Head<E> head_of(const Tensor& x, int64_t b, int64_t length, int64_t heads, int64_t h, int64_t D) {
  return {static_cast<const E*>(x.data) + (b * length * heads + h) * D, heads * D, D};
}

// Row t of an output's head will be written soon; the rows of a head are far apart here too.
template <class E>
LETHE_INLINE void prefetch_row(E* row, int64_t D) {
  for (int64_t d = 0; d < D; d += 64 / static_cast<int64_t>(sizeof(E))) __builtin_prefetch(row + d, 1);
}

// Rows begin to end of the head for products that sum over D: units [rows, padded D / per_unit].
template <class Unit, class E>
void pack_along_width(const Head<E>& head, int64_t begin, int64_t end, float* units) {
  const int64_t D = head.width_padded();
  for (int64_t t = begin; t < end; ++t, units += D / Unit::per_unit)
    for (int64_t d = 0; d < D; d += width)
      if constexpr (Unit::per_unit == 2)
        store_halves(reinterpret_cast<uint16_t*>(units) + d, head.read_halves(t, d));
      else
        store(units + d, head.read(t, d));
}

// Rows begin to end of the head for products that sum over rows: units [rows / per_unit, padded D]; those from `count`
// on are 0.
template <class Unit, class E>
void pack_along_rows(const Head<E>& head, int64_t begin, int64_t end, int64_t count, float* units) {
  const int64_t D = head.width_padded();
  for (int64_t t = begin; t < end; t += Unit::per_unit, units += D)
    for (int64_t d = 0; d < D; d += width) {
      if constexpr (Unit::per_unit == 2) {
        const HalfVec even = t < count ? head.read_halves(t, d) : HalfVec{};
        store(units + d, halves_as_pairs(even, t + 1 < count ? head.read_halves(t + 1, d) : HalfVec{}));
      } else {
        store(units + d, t < count ? head.read(t, d) : Vec{});
      }
    }
}

// A block of keys, transposed: units [padded D / per_unit, key_block]; columns from `count` on are 0. `rows` is working
// memory for the block before that.
template <class Unit, class E>
void pack_columns(const Head<E>& head, int64_t begin, int64_t count, float* rows, float* units) {
  const int64_t D = head.width_padded() / Unit::per_unit;
  pack_along_width<Unit>(head, begin, at_most(begin + key_block, count), rows);
  for (int64_t s = 0; s < key_block; s += width)
    for (int64_t d = 0; d < D; d += width) {
      Vec square[width] = {};
      const int64_t there = at_most(D - d, width);
      for (int64_t i = 0; i < width && begin + s + i < count; ++i) {
        const float* from = rows + (s + i) * D + d;
        square[i] = there == width ? load(from) : load_part(from, there);
      }
      transpose(square);
      for (int64_t i = 0; i < there; ++i) store(units + (d + i) * key_block + s, square[i]);
    }
}

// The key rows that some query sees: [begin, end), empty when none does.
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

// The part of a tile's range that lies in [begin, end), in whole column groups; `begin` is such a group's start.
LETHE_INLINE Visible within(Visible range, int64_t begin, int64_t end) {
  const Visible part{at_least(range.begin / column_group * column_group, begin),
                     at_most(round_up(range.end, column_group), end)};
  return part.begin < part.end ? part : Visible{begin, begin};
}

// The keys first to last (inclusive) of one query.
struct Seen {
  int64_t first, last;

  Seen several() const { return first < last ? *this : Seen{0, -1}; }  // nothing where it is a single key
  LETHE_INLINE bool whole(int64_t s) const { return first <= s && s + width - 1 <= last; }
  // `x` at the keys s, s + 1, ... that are seen, `other` elsewhere.
  LETHE_INLINE Vec choose(int64_t s, Vec x, Vec other) const {
    IntVec key;
    for (int32_t i = 0; i < width; ++i) key[i] = i;
    key = key + static_cast<int32_t>(s);
    const IntVec seen = (key >= static_cast<int32_t>(first)) & (key <= static_cast<int32_t>(last));
    return seen ? x : other;
  }
};

}  // namespace lethe::cpu::LETHE_ISA
