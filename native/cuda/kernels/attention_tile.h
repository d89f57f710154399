// Where things are in the tiles of attention: shared memory, the fragments of mma.m16n8k16, visible keys. Host and
// device share it; tests hold it against the descriptions in NVIDIA's PTX manual.
#pragma once
#include <cstdint>

#include "core/host_device.h"

namespace lethe::cuda {

// A tile [rows, width] of 2-byte elements in shared memory, in chunks of eight: chunk c of row r lies at c ^ (r % 8),
// so that the eight rows of an 8x8 matrix lie in different banks.
template <int width>
LETHE_HD constexpr int tile_offset(int row, int chunk) {
  return row * width + (chunk ^ (row & 7)) * 8;
}

struct TilePlace {
  int row, chunk;
};

// The row whose address a lane gives to load_matrices, from (row, chunk) of the upper left element on:
// for the left operand [16, 16] of a product,
LETHE_HD constexpr TilePlace left_place(int lane) { return {lane % 8 + lane / 8 % 2 * 8, lane / 16}; }
// for two right operands [16, 8], rows of the tile being their columns: registers 0 and 1 are the first's, 2 and 3 the
// second's,
LETHE_HD constexpr TilePlace right_place(int lane) { return {lane % 8 + lane / 16 * 8, lane / 8 % 2}; }
// for the same of a tile whose rows are the operands' rows, through load_matrices_transposed.
LETHE_HD constexpr TilePlace right_place_transposed(int lane) { return left_place(lane); }

// Element i of a lane's four results of a product [16, 8].
LETHE_HD constexpr int result_row(int lane, int i) { return lane / 4 + i / 2 * 8; }
LETHE_HD constexpr int result_column(int lane, int i) { return lane % 4 * 2 + i % 2; }

// Key rows that a query sees, both ends included; {0, -1} for none.
struct KeyRows {
  int first, last;
  LETHE_HD bool sees(int key) const { return key >= first && key <= last; }
  LETHE_HD bool is_empty() const { return last < first; }
};

// Never outside the keys, whatever the caller gave.
LETHE_HD inline KeyRows clipped(int first, int last, int S) {
  const KeyRows rows{first < 0 ? 0 : first, last >= S ? S - 1 : last};
  return rows.is_empty() ? KeyRows{0, -1} : rows;
}

// The keys that some query of a tile sees lie in [low, high]; every query sees all of [full_low, full_high].
struct TileKeys {
  int low, high, full_low, full_high;
  LETHE_HD bool is_empty() const { return high < low; }
  LETHE_HD bool touches(int begin, int end) const { return low < end && high >= begin; }  // keys [begin, end)
  LETHE_HD bool is_full(int begin, int end) const { return full_low <= begin && full_high >= end - 1; }
};

inline constexpr int32_t no_key = 1 << 30;

LETHE_HD inline TileKeys no_tile_keys() { return {no_key, -1, -1, no_key}; }

LETHE_HD inline TileKeys tile_keys_of(KeyRows rows) {
  return rows.is_empty() ? TileKeys{no_key, -1, no_key, -1} : TileKeys{rows.first, rows.last, rows.first, rows.last};
}

LETHE_HD inline TileKeys merge(const TileKeys& a, const TileKeys& b) {
  return {a.low < b.low ? a.low : b.low, a.high > b.high ? a.high : b.high,
          a.full_low > b.full_low ? a.full_low : b.full_low, a.full_high < b.full_high ? a.full_high : b.full_high};
}

inline constexpr int queries_per_range = 32;  // of one entry of a table of TileKeys

}  // namespace lethe::cuda
