// y = softmax(scale q k^T) v over the key rows first..last of each query; lse = log sum exp of the scaled scores.
// q, y [B, T, H, D], k, v [B, S, K, D], first, last [B, T], lse [B, H, T]. Query head h reads key head h / (H / K).
// Flash style (Dao 2023): a block takes 128 queries of a head, eight warps of 16 rows, and goes over the tiles of 64
// keys that any of them sees; scores live in registers, keys and values in shared memory, the next tile being copied
// while one is used. Tiles that nobody sees are left out; those that everybody sees whole are not masked.
// Memory: q and y once, k and v once per 128 queries, from cache. Work: 4 D FLOP per query and visible key.
// Hazards: scores are scaled in fp32; a row that has seen no key keeps its maximum at -inf, and is subtracted as 0;
// P is rounded to bf16 for the second product only, its sum is not.
#include "cuda/kernels/attention.h"
#include "cuda/kernels/attention_tile.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/table_index.h"

namespace lethe::cuda {
namespace {

constexpr int threads = 256, queries = 128, keys = 64;

struct Forward {
  AttentionShape shape;
  const Bf16 *q, *k, *v;
  const int32_t *first, *last;
  const TileKeys* table;
  Bf16* y;
  float* lse;
  float scale_log2;  // scale log2(e): exponentials are powers of two
};

// The online softmax of a lane's two rows: scores become weights, and what was summed before is scaled down.
template <int columns, int outputs>
__device__ void soften(float (&scores)[columns][4], float (&max)[2], float (&sum)[2], float (&y)[outputs][4]) {
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    float top = max[half];
#pragma unroll
    for (int n = 0; n < columns; ++n) top = larger(larger(top, scores[n][2 * half]), scores[n][2 * half + 1]);
    top = larger(top, __shfl_xor_sync(~0U, top, 1));
    top = larger(top, __shfl_xor_sync(~0U, top, 2));
    const float reference = top == -INFINITY ? 0 : top, shrink = exp2_fast(max[half] - reference);
    max[half] = top;
    sum[half] *= shrink;
#pragma unroll
    for (int n = 0; n < outputs; ++n) y[n][2 * half] *= shrink, y[n][2 * half + 1] *= shrink;
#pragma unroll
    for (int n = 0; n < columns; ++n)
#pragma unroll
      for (int i = 2 * half; i < 2 * half + 2; ++i) {
        scores[n][i] = exp2_fast(scores[n][i] - reference);
        sum[half] += scores[n][i];
      }
  }
}

template <int width>
__global__ void __launch_bounds__(threads, width == 64 ? 2 : 1) attention_kernel(Forward a) {
  const AttentionShape& shape = a.shape;
  Bf16* q_tile = shared_memory<Bf16>();
  Bf16* k_tiles = q_tile + queries * width;
  Bf16* v_tiles = k_tiles + 2 * keys * width;
  // The last queries see the most keys where attention is causal: they go first.
  const int tile = static_cast<int>(gridDim.x - 1 - blockIdx.x), t0 = tile * queries;
  const int h = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z), group = h / (shape.H / shape.K);
  const int lane = static_cast<int>(threadIdx.x) % 32, row0 = static_cast<int>(threadIdx.x) / 32 * 16;

  KeyRows seen[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    const int t = t0 + row0 + result_row(lane, 2 * half);
    const int64_t at = int64_t{b} * shape.T + t;
    seen[half] = t < shape.T ? clipped(a.first[at], a.last[at], shape.S) : KeyRows{0, -1};
  }
  TileKeys range = no_tile_keys();
  for (int i = t0 / queries_per_range; i < (t0 + queries) / queries_per_range && i < shape.num_ranges(); ++i)
    range = merge(range, a.table[b * shape.num_ranges() + i]);
  const int begin = range.is_empty() ? 0 : range.low / keys, end = range.is_empty() ? 0 : range.high / keys + 1;

  const int64_t key_stride = int64_t{shape.K} * shape.D;
  const auto load_keys = [&](int j) {
    const int64_t from = shape.key(b, j * keys, group);
    load_tile<keys, width, threads>(k_tiles + j % 2 * keys * width, a.k + from, key_stride, shape.S - j * keys,
                                    shape.D);
    load_tile<keys, width, threads>(v_tiles + j % 2 * keys * width, a.v + from, key_stride, shape.S - j * keys,
                                    shape.D);
    commit_copies();
  };
  float y[width / 8][4] = {}, max[2] = {-INFINITY, -INFINITY}, sum[2] = {};
  if (begin < end) {
    load_tile<queries, width, threads>(q_tile, a.q + shape.query(b, t0, h), int64_t{shape.H} * shape.D, shape.T - t0,
                                       shape.D);
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
    float scores[keys / 8][4] = {};
    multiply_tiles<width, width / 16>(scores, q_tile, row0, k_tiles + j % 2 * keys * width);
    const bool is_full = range.is_full(j * keys, (j + 1) * keys);
#pragma unroll
    for (int n = 0; n < keys / 8; ++n)
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int key = j * keys + n * 8 + result_column(lane, i);
        scores[n][i] = is_full || seen[i / 2].sees(key) ? scores[n][i] * a.scale_log2 : -INFINITY;
      }
    soften(scores, max, sum, y);
    multiply_results<width>(y, scores, v_tiles + j % 2 * keys * width);
    __syncthreads();  // before the copy after next overwrites these tiles
  }

  float factor[2];
#pragma unroll
  for (int half = 0; half < 2; ++half) {
    sum[half] += __shfl_xor_sync(~0U, sum[half], 1);
    sum[half] += __shfl_xor_sync(~0U, sum[half], 2);
    factor[half] = sum[half] > 0 ? 1 / sum[half] : (sum[half] == 0 ? 0 : sum[half]);  // NaN stays
    const int t = t0 + row0 + result_row(lane, 2 * half);
    if (lane % 4 == 0 && t < shape.T)
      a.lse[shape.row(b, h, t)] = sum[half] == 0 ? -INFINITY : max[half] * ln_2 + logf(sum[half]);
  }
  store_results<width>(a.y + shape.query(b, t0, h), int64_t{shape.H} * shape.D, row0, shape.T - t0, shape.D, y, factor);
}

template <int width>
void run(Context& context, const Forward& forward) {
  const AttentionShape& shape = forward.shape;
  constexpr size_t shared = (queries + 4 * keys) * width * sizeof(Bf16);
  launch(context.stream(), "attention", attention_kernel<width>,
         {dim3(static_cast<unsigned>((shape.T + queries - 1) / queries), static_cast<unsigned>(shape.H),
               static_cast<unsigned>(shape.B)),
          dim3(threads), shared},
         forward);
}

}  // namespace

void attention(Context& context, const attention_args& a) {
  if (a.B * a.T * a.H == 0) return;
  if (!fits_tensor_cores(a)) return plain_attention(context, a);
  Scratch scratch(context.workspace());
  const AttentionShape shape = shape_of(a);
  const Forward forward{
      shape,
      data_of<Bf16>(a.q),
      data_of<Bf16>(a.k),
      data_of<Bf16>(a.v),
      a.first.i32(),
      a.last.i32(),
      tile_key_table(context, "attention", table::attention, shape, a.first.i32(), a.last.i32(), scratch),
      data_of<Bf16>(a.y),
      a.lse.f32(),
      static_cast<float>(a.scale) * log2_e};
  if (a.D <= 64)
    run<64>(context, forward);
  else
    run<128>(context, forward);
}

}  // namespace lethe::cuda
