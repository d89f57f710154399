// Tiles of attention in shared memory: filling them without waiting, and reading operands from them.
#pragma once
#include "cuda/kernels/attention_tile.h"
#include "cuda/kernels/block_reduce.cuh"
#include "ptx.cuh"

namespace lethe::cuda {

// Queues the copy of `rows` rows of D elements, `stride` apart; rows from `valid` on and columns from D on become 0.
template <int rows, int width, int threads>
__device__ void load_tile(Bf16* tile, const Bf16* from, int64_t stride, int valid, int D) {
  constexpr int chunks = width / 8;
#pragma unroll
  for (int i = 0; i < rows * chunks / threads; ++i) {
    const int at = i * threads + static_cast<int>(threadIdx.x), row = at / chunks, chunk = at % chunks;
    const bool exists = row < valid && chunk * 8 < D;
    copy_async(tile + tile_offset<width>(row, chunk), exists ? from + row * stride + chunk * 8 : from, exists);
  }
  static_assert(rows * chunks % threads == 0);
}

// result [16, 8 columns] += left rows [16, 16 steps] right rows [8 columns, 16 steps]^T, both from tiles.
template <int width, int steps, int columns>
__device__ void multiply_tiles(float (&result)[columns][4], const Bf16* left, int left_row, const Bf16* right) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const TilePlace l = left_place(lane), r = right_place(lane);
#pragma unroll
  for (int k = 0; k < steps; ++k) {
    uint32_t a[4];
    load_matrices(a, left + tile_offset<width>(left_row + l.row, 2 * k + l.chunk));
#pragma unroll
    for (int n = 0; n < columns; n += 2) {
      uint32_t b[4];
      load_matrices(b, right + tile_offset<width>(n * 8 + r.row, 2 * k + r.chunk));
      multiply_add(result[n], a, b[0], b[1]);
      multiply_add(result[n + 1], a, b[2], b[3]);
    }
  }
}

// result [16, width] += left [16, 8 columns], results of another product, times rows [8 columns, width] of a tile. left
// is rounded to bf16: the results of two neighbouring products [16, 8] are one left operand [16, 16].
template <int width, int columns>
__device__ void multiply_results(float (&result)[width / 8][4], const float (&left)[columns][4], const Bf16* right) {
  const TilePlace r = right_place_transposed(static_cast<int>(threadIdx.x) % 32);
#pragma unroll
  for (int k = 0; k < columns / 2; ++k) {
    const float (&low)[4] = left[2 * k], (&high)[4] = left[2 * k + 1];
    const uint32_t a[4] = {pack(low[0], low[1], Bf16{}), pack(low[2], low[3], Bf16{}), pack(high[0], high[1], Bf16{}),
                           pack(high[2], high[3], Bf16{})};
#pragma unroll
    for (int n = 0; n < width / 8; n += 2) {
      uint32_t b[4];
      load_matrices_transposed(b, right + tile_offset<width>(k * 16 + r.row, n + r.chunk));
      multiply_add(result[n], a, b[0], b[1]);
      multiply_add(result[n + 1], a, b[2], b[3]);
    }
  }
}

// Writes rows [16, width] of results, times `factor` per half, to rows of D elements `stride` apart.
template <int width>
__device__ void store_results(Bf16* to, int64_t stride, int row, int valid, int D, const float (&result)[width / 8][4],
                              const float (&factor)[2]) {
  const int lane = static_cast<int>(threadIdx.x) % 32;
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int r = row + result_row(lane, 2 * half);
    if (r >= valid) continue;
#pragma unroll
    for (int n = 0; n < width / 8; ++n) {
      const int column = n * 8 + result_column(lane, 0);
      if (column < D)
        *reinterpret_cast<uint32_t*>(to + r * stride + column) =
            pack(result[n][2 * half] * factor[half], result[n][2 * half + 1] * factor[half], Bf16{});
    }
  }
}

}  // namespace lethe::cuda
