// C [M, N] += A^T B with A [K, M] and B [K, N] in bf16 and C in fp32: the gradients of weights. oneDNN turns A for it,
// which costs a tenth to a fifth of the time; here neighbouring rows of A and of B are interleaved as they are read,
// and the tile broadcasts elements of A. 2 M N K FLOP; for every 1024 rows C is read and written once. An element's sum
// runs over K in order, in blocks of 1024 rows, so it does not depend on the threads.
#include <omp.h>

#include "cpu/scratch.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/tile.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t row_block = 1024;   // rows of A and B at a time: 512 pairs
constexpr int64_t most_columns = 96;  // columns of A that a thread takes at a time: 16 tiles, 192 KiB with their pairs

LETHE_INLINE HalfVec halves_of(const uint16_t* p, int64_t count) {
  const auto* from = reinterpret_cast<const Bf16*>(p);
  return count >= width ? load_halves(from) : count > 0 ? load_halves_part(from, count) : HalfVec{};
}

// Rows begin, begin + 1, ... (of `end`) in pairs: to[pair * stride + c] for c < columns, 0 beyond `count` columns.
LETHE_INLINE void interleave(const HalfMatrix& x, int64_t begin, int64_t end, int64_t first, int64_t count,
                             int64_t columns, float* to, int64_t stride) {
  for (int64_t k = begin; k < end; k += 2, to += stride) {
    const uint16_t *even = x.data + k * x.stride + first, *odd = even + x.stride;
    for (int64_t c = 0; c < columns; c += width)
      store(to + c,
            halves_as_pairs(halves_of(even + c, count - c), k + 1 < end ? halves_of(odd + c, count - c) : HalfVec{}));
  }
}

LETHE_INLINE int64_t smaller(int64_t x, int64_t y) { return x < y ? x : y; }

}  // namespace

void add_transposed_product(const TransposedProduct& p) {
  const int64_t panels = (p.N + panel_columns - 1) / panel_columns, pairs = (smaller(row_block, p.K) + 1) / 2;
  const int64_t threads = omp_get_max_threads(),
                parts = threads * ((p.M + threads * most_columns - 1) / (threads * most_columns));
  const int64_t tiles = (p.M + tile_rows - 1) / tile_rows, columns = (tiles + parts - 1) / parts * tile_rows;
  const int64_t stride = (columns + width - 1) / width * width;
  Scratch scratch;
  float *right = scratch.floats(panels * pairs * panel_columns), *left = scratch.floats(threads * pairs * stride);
  const bool large = p.M * p.N * p.K > 32768;
  for (int64_t begin = 0; begin < p.K; begin += row_block) {
    const int64_t end = smaller(begin + row_block, p.K), here = (end - begin + 1) / 2;
    parallel_for(large, panels, [&](int64_t j) {
      const int64_t first = j * panel_columns;
      interleave(p.b, begin, end, first, p.N - first, panel_columns, right + j * pairs * panel_columns, panel_columns);
    });
    parallel_for(large, (p.M + columns - 1) / columns, [&](int64_t i) {
      const int64_t first = i * columns, count = smaller(columns, p.M - first);
      float* mine = left + omp_get_thread_num() * pairs * stride;
      interleave(p.a, begin, end, first, count, stride, mine, stride);
      for (int64_t j = 0; j < panels; ++j)
        multiply_narrow<Pair>(count, smaller(panel_columns, p.N - j * panel_columns), here, {mine, 1, stride},
                              {right + j * pairs * panel_columns, panel_columns},
                              {p.c + first * p.c_stride + j * panel_columns, p.c_stride}, true);
    });
  }
}

}  // namespace lethe::cpu::LETHE_ISA
