// Which keys the queries of a tile see, and delta = rowsum(dy y): small passes before the kernels of attention.
// Ranges: one warp per 32 queries; reads first and last once.
#include "cuda/kernels/attention.h"
#include "cuda/kernels/attention_tile.cuh"

namespace lethe::cuda {
namespace {

__global__ void tile_key_kernel(AttentionShape shape, const int32_t* first, const int32_t* last, TileKeys* table,
                                int op, IndexError* error) {
  const int b = static_cast<int>(blockIdx.y), range = static_cast<int>(blockIdx.x);
  const int t = range * queries_per_range + static_cast<int>(threadIdx.x);
  TileKeys keys = no_tile_keys();
  if (t < shape.T) {
    const int64_t at = int64_t{b} * shape.T + t;
    const int f = first[at], l = last[at];
    if (f <= l && (f < 0 || l >= shape.S)) report(error, op, IndexKind::key_rows, at, f < 0 ? f : l, shape.S);
    keys = tile_keys_of(clipped(f, l, shape.S));
  }
#pragma unroll
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    const TileKeys other{__shfl_xor_sync(~0U, keys.low, lanes), __shfl_xor_sync(~0U, keys.high, lanes),
                         __shfl_xor_sync(~0U, keys.full_low, lanes), __shfl_xor_sync(~0U, keys.full_high, lanes)};
    keys = merge(keys, other);
  }
  if (threadIdx.x == 0) table[b * shape.num_ranges() + range] = keys;
}

// One warp per row of D.
template <class T>
__global__ void delta_kernel(AttentionShape shape, const T* y, const T* dy, float* delta, int64_t rows) {
  const int64_t row = (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) / 32;
  if (row >= rows) return;  // whole warps
  float sum = 0;
  for (int d = static_cast<int>(threadIdx.x) % 32; d < shape.D; d += 32)
    sum += to_float(y[row * shape.D + d]) * to_float(dy[row * shape.D + d]);
  sum = warp_sum(sum);
  const int h = static_cast<int>(row % shape.H), t = static_cast<int>(row / shape.H % shape.T),
            b = static_cast<int>(row / shape.H / shape.T);
  if (threadIdx.x % 32 == 0) delta[shape.row(b, h, t)] = sum;
}

}  // namespace

const TileKeys* tile_key_table(Context& context, const char* op, int op_index, const AttentionShape& shape,
                               const int32_t* first, const int32_t* last, Scratch& scratch) {
  auto* table = scratch.of<TileKeys>(int64_t{shape.B} * shape.num_ranges());
  launch(context.stream(), op, tile_key_kernel,
         {dim3(static_cast<unsigned>(shape.num_ranges()), static_cast<unsigned>(shape.B)), dim3(queries_per_range)},
         shape, first, last, table, op_index, context.index_error());
  return table;
}

template <class T>
void attention_delta(Context& context, const AttentionShape& shape, const T* y, const T* dy, float* delta) {
  const int64_t rows = int64_t{shape.B} * shape.T * shape.H;
  launch(context.stream(), "attention_backward", delta_kernel<T>,
         {dim3(static_cast<unsigned>((rows + 7) / 8)), dim3(256)}, shape, y, dy, delta, rows);
}
template void attention_delta(Context&, const AttentionShape&, const float*, const float*, float*);
template void attention_delta(Context&, const AttentionShape&, const Bf16*, const Bf16*, float*);

}  // namespace lethe::cuda
