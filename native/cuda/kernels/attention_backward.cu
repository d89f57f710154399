// With P = softmax(scale q k^T) and delta = rowsum(dy y): dv = P^T dy, dS = P (dy v^T - delta), dq = scale dS k,
// dk = scale dS^T q. Shapes as in attention.cu; P is recomputed from lse.
// Two kernels, so that no sum depends on which block comes first: one takes 128 keys of a key head and goes over the
// tiles of 32 queries that see any of them, for every query head of its group (dk, dv); the other takes 128 queries and
// goes over tiles of 32 keys (dq). Each computes the scores itself: 14 D FLOP per query and visible key where atomic
// additions would do with 10. Operands come from tiles in shared memory, the next tile being copied while one is used;
// P and dS stay in registers, transposed in the first kernel, and are rounded to bf16 for the products that read them.
// Hazard: lse is -inf for a query that sees nothing; its weights are set to 0 and never computed from it.
#include "cuda/kernels/attention.h"
#include "cuda/kernels/attention_tile.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/table_index.h"

namespace lethe::cuda {
namespace {

constexpr int threads = 256, rows_of_block = 128, rows_of_step = 32;
static_assert(rows_of_step == queries_per_range);

struct Backward {
  AttentionShape shape;
  const Bf16 *q, *k, *v, *dy;
  const int32_t *first, *last;
  const float *lse, *delta;
  const TileKeys* table;
  Bf16 *dq, *dk, *dv;
  float scale, scale_log2;
};

// What a kernel needs to know of a query beside its vectors.
struct Query {
  float lse_log2, delta;
  KeyRows seen;
};

__device__ inline Query query_of(const Backward& a, int b, int h, int t) {
  const AttentionShape& shape = a.shape;
  if (t >= shape.T) return {0, 0, {0, -1}};
  const int64_t at = int64_t{b} * shape.T + t, row = shape.row(b, h, t);
  return {a.lse[row] * log2_e, a.delta[row], clipped(a.first[at], a.last[at], shape.S)};
}

// The weight of a key for a query, and dS of it, over the score and dP.
__device__ inline void weigh(const Backward& a, const Query& query, int key, float& score, float& dp) {
  score = query.seen.sees(key) ? exp2_fast(score * a.scale_log2 - query.lse_log2) : 0;
  dp = score * (dp - query.delta);
}

template <int width>
__global__ void __launch_bounds__(threads) key_gradients_kernel(Backward a) {
  const AttentionShape& shape = a.shape;
  Bf16* k_tile = shared_memory<Bf16>();
  Bf16* v_tile = k_tile + rows_of_block * width;
  Bf16* q_tiles = v_tile + rows_of_block * width;
  Bf16* dy_tiles = q_tiles + 2 * rows_of_step * width;
  auto* query_tiles = reinterpret_cast<Query*>(dy_tiles + 2 * rows_of_step * width);
  const int s0 = static_cast<int>(blockIdx.x) * rows_of_block, group = static_cast<int>(blockIdx.y),
            b = static_cast<int>(blockIdx.z), heads = shape.H / shape.K;
  const int thread = static_cast<int>(threadIdx.x), lane = thread % 32, row0 = thread / 32 * 16;
  const TileKeys* table = a.table + b * shape.num_ranges();

  // A step is a tile of queries of a head. The next one at or behind `from`; heads * num_ranges where there is none.
  const int num_ranges = shape.num_ranges(), num_steps = heads * num_ranges;
  const auto next_step = [&](int from) {
    for (int base = from; base < num_steps; base += 32) {
      const int step = base + lane;
      const bool touches = step < num_steps && table[step % num_ranges].touches(s0, s0 + rows_of_block);
      const unsigned found = __ballot_sync(~0U, touches);
      if (found) return base + __ffs(static_cast<int>(found)) - 1;
    }
    return num_steps;
  };
  const auto load_queries = [&](int step, int stage) {
    const int h = group * heads + step / num_ranges, t0 = step % num_ranges * rows_of_step;
    const int64_t from = shape.query(b, t0, h), stride = int64_t{shape.H} * shape.D;
    load_tile<rows_of_step, width, threads>(q_tiles + stage * rows_of_step * width, a.q + from, stride, shape.T - t0,
                                            shape.D);
    load_tile<rows_of_step, width, threads>(dy_tiles + stage * rows_of_step * width, a.dy + from, stride, shape.T - t0,
                                            shape.D);
    commit_copies();
    if (thread < rows_of_step) query_tiles[stage * rows_of_step + thread] = query_of(a, b, h, t0 + thread);
  };

  const int64_t key_stride = int64_t{shape.K} * shape.D, at = shape.key(b, s0, group);
  float dk[width / 8][4] = {}, dv[width / 8][4] = {};
  int step = next_step(0), stage = 0;
  if (step < num_steps) {
    load_tile<rows_of_block, width, threads>(k_tile, a.k + at, key_stride, shape.S - s0, shape.D);
    load_tile<rows_of_block, width, threads>(v_tile, a.v + at, key_stride, shape.S - s0, shape.D);
    load_queries(step, stage);
  }
  while (step < num_steps) {
    const int next = next_step(step + 1);
    if (next < num_steps) {
      load_queries(next, stage ^ 1);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    __syncthreads();
    const Bf16 *q_tile = q_tiles + stage * rows_of_step * width, *dy_tile = dy_tiles + stage * rows_of_step * width;
    float weights[rows_of_step / 8][4] = {}, ds[rows_of_step / 8][4] = {};  // transposed: rows are keys
    multiply_tiles<width, width / 16>(weights, k_tile, row0, q_tile);
    multiply_tiles<width, width / 16>(ds, v_tile, row0, dy_tile);
#pragma unroll
    for (int n = 0; n < rows_of_step / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        weigh(a, query_tiles[stage * rows_of_step + n * 8 + result_column(lane, i)], s0 + row0 + result_row(lane, i),
              weights[n][i], ds[n][i]);
    multiply_results<width>(dv, weights, dy_tile);
    multiply_results<width>(dk, ds, q_tile);
    __syncthreads();  // before the copy after next overwrites these tiles
    step = next;
    stage ^= 1;
  }
  const float one[2] = {1, 1}, scale[2] = {a.scale, a.scale};
  store_results<width>(a.dv + at, key_stride, row0, shape.S - s0, shape.D, dv, one);
  store_results<width>(a.dk + at, key_stride, row0, shape.S - s0, shape.D, dk, scale);
}

template <int width>
__global__ void __launch_bounds__(threads, width == 64 ? 2 : 1) query_gradients_kernel(Backward a) {
  const AttentionShape& shape = a.shape;
  Bf16* q_tile = shared_memory<Bf16>();
  Bf16* dy_tile = q_tile + rows_of_block * width;
  Bf16* k_tiles = dy_tile + rows_of_block * width;
  Bf16* v_tiles = k_tiles + 2 * rows_of_step * width;
  const int t0 = static_cast<int>(gridDim.x - 1 - blockIdx.x) * rows_of_block, h = static_cast<int>(blockIdx.y),
            b = static_cast<int>(blockIdx.z), group = h / (shape.H / shape.K);
  const int lane = static_cast<int>(threadIdx.x) % 32, row0 = static_cast<int>(threadIdx.x) / 32 * 16;

  TileKeys range = no_tile_keys();
  for (int i = t0 / queries_per_range; i < (t0 + rows_of_block) / queries_per_range && i < shape.num_ranges(); ++i)
    range = merge(range, a.table[b * shape.num_ranges() + i]);
  const int begin = range.is_empty() ? 0 : range.low / rows_of_step;
  const int end = range.is_empty() ? 0 : range.high / rows_of_step + 1;
  const Query rows[2] = {query_of(a, b, h, t0 + row0 + result_row(lane, 0)),
                         query_of(a, b, h, t0 + row0 + result_row(lane, 2))};

  const int64_t key_stride = int64_t{shape.K} * shape.D, query_stride = int64_t{shape.H} * shape.D;
  const auto load_keys = [&](int j) {
    const int s0 = j * rows_of_step;
    const int64_t from = shape.key(b, s0, group);
    load_tile<rows_of_step, width, threads>(k_tiles + j % 2 * rows_of_step * width, a.k + from, key_stride,
                                            shape.S - s0, shape.D);
    load_tile<rows_of_step, width, threads>(v_tiles + j % 2 * rows_of_step * width, a.v + from, key_stride,
                                            shape.S - s0, shape.D);
    commit_copies();
  };
  float dq[width / 8][4] = {};
  if (begin < end) {
    const int64_t at = shape.query(b, t0, h);
    load_tile<rows_of_block, width, threads>(q_tile, a.q + at, query_stride, shape.T - t0, shape.D);
    load_tile<rows_of_block, width, threads>(dy_tile, a.dy + at, query_stride, shape.T - t0, shape.D);
    load_keys(begin);
  }
  for (int j = begin; j < end; ++j) {
    if (j + 1 < end) {
      load_keys(j + 1);
      wait_copies<1>();
    } else {
      wait_copies<0>();
    }
    __syncthreads();
    const Bf16 *k_tile = k_tiles + j % 2 * rows_of_step * width, *v_tile = v_tiles + j % 2 * rows_of_step * width;
    float weights[rows_of_step / 8][4] = {}, ds[rows_of_step / 8][4] = {};
    multiply_tiles<width, width / 16>(weights, q_tile, row0, k_tile);
    multiply_tiles<width, width / 16>(ds, dy_tile, row0, v_tile);
#pragma unroll
    for (int n = 0; n < rows_of_step / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i)
        weigh(a, rows[i / 2], j * rows_of_step + n * 8 + result_column(lane, i), weights[n][i], ds[n][i]);
    multiply_results<width>(dq, ds, k_tile);
    __syncthreads();  // before the copy after next overwrites these tiles
  }
  const float scale[2] = {a.scale, a.scale};
  store_results<width>(a.dq + shape.query(b, t0, h), query_stride, row0, shape.T - t0, shape.D, dq, scale);
}

template <int width>
void run(Context& context, const Backward& backward) {
  const AttentionShape& shape = backward.shape;
  constexpr size_t tiles = 2 * (rows_of_block + 2 * rows_of_step) * width * sizeof(Bf16);
  const auto blocks = [](int rows) { return static_cast<unsigned>((rows + rows_of_block - 1) / rows_of_block); };
  const auto B = static_cast<unsigned>(shape.B);
  launch(context.stream(), "attention_backward", key_gradients_kernel<width>,
         {dim3(blocks(shape.S), static_cast<unsigned>(shape.K), B), dim3(threads),
          tiles + 2 * rows_of_step * sizeof(Query)},
         backward);
  launch(context.stream(), "attention_backward", query_gradients_kernel<width>,
         {dim3(blocks(shape.T), static_cast<unsigned>(shape.H), B), dim3(threads), tiles}, backward);
}

}  // namespace

void attention_backward(Context& context, const attention_backward_args& a) {
  if (a.B * a.H == 0) return;
  Scratch scratch(context.workspace());
  const AttentionShape shape = shape_of(a);
  auto* delta = scratch.of<float>(a.B * a.H * a.T);
  with_type(a.q.bf16, [&](auto zero) {
    using T = decltype(zero);
    attention_delta(context, shape, data_of<const T>(a.y), data_of<const T>(a.dy), delta);
  });
  if (!fits_tensor_cores(a)) return plain_attention_backward(context, a, delta);
  const Backward backward{shape,
                          data_of<Bf16>(a.q),
                          data_of<Bf16>(a.k),
                          data_of<Bf16>(a.v),
                          data_of<Bf16>(a.dy),
                          a.first.i32(),
                          a.last.i32(),
                          a.lse.f32(),
                          delta,
                          tile_key_table(context, "attention_backward", table::attention_backward, shape, a.first.i32(),
                                         a.last.i32(), scratch),
                          data_of<Bf16>(a.dq),
                          data_of<Bf16>(a.dk),
                          data_of<Bf16>(a.dv),
                          static_cast<float>(a.scale),
                          static_cast<float>(a.scale) * log2_e};
  if (a.D <= 64)
    run<64>(context, backward);
  else
    run<128>(context, backward);
}

}  // namespace lethe::cuda
