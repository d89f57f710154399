// Over a chunk of logits z [count, V]: loss, KL and dz, in place for fp16 (arithmetic.h has the formulas).
//   forget row:  dz_v = -s c q_v, dz_y = s c;  q = softmax over v != y, c = p (complement) or 1 - p (ga)
//   replay row:  dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori)
// A cluster of blocks takes a row and holds it, and the original's, in registers, so z and z0 are read once and dz is
// written once: 6 V bytes in fp16 with an original, 4 V without. The blocks exchange their maxima and sums through
// distributed shared memory. Rows that no cluster can hold, and GPUs without clusters, read each row three times.
// Hazards: the target and what lies past V are -inf in registers, so sums skip them and dz there is 0 until the
// target's is put in; a block may hold no logit at all; no block may leave while another reads its shared memory.
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/table_index.h"
#include "cuda/kernels/unlearn_rows.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int threads = 512, groups_held = 4;
constexpr unsigned most_blocks = 16;  // of a cluster: 8 everywhere, 16 on the GPUs that have them

// Eight logits as they are stored.
template <class Z>
struct Group;
template <>
struct Group<Half> {
  Words words;
  __device__ void load(const Half* from) { words = *reinterpret_cast<const Words*>(from); }
  __device__ void get(float (&x)[8]) const {
#pragma unroll
    for (int i = 0; i < 4; ++i) unpack(words.w[i], x[2 * i], x[2 * i + 1], Half{});
  }
  __device__ void set(const float (&x)[8]) {
#pragma unroll
    for (int i = 0; i < 4; ++i) words.w[i] = pack(x[2 * i], x[2 * i + 1], Half{});
  }
};
template <>
struct Group<float> {
  float f[8];
  __device__ void load(const float* from) { load8(from, f); }
  __device__ void get(float (&x)[8]) const {
#pragma unroll
    for (int i = 0; i < 8; ++i) x[i] = f[i];
  }
  __device__ void set(const float (&x)[8]) {
#pragma unroll
    for (int i = 0; i < 8; ++i) f[i] = x[i];
  }
};

// The largest logit of some groups.
template <class Z>
struct Largest;
template <>
struct Largest<Half> {
  uint32_t pair = 0xfc00fc00;  // -inf, -inf
  __device__ void add(const Group<Half>& group) {
#pragma unroll
    for (int i = 0; i < 4; ++i) pair = larger_pair(pair, group.words.w[i]);
  }
  __device__ float get() const {
    float first, second;
    unpack(pair, first, second, Half{});
    return larger(first, second);
  }
};
template <>
struct Largest<float> {
  float largest = -INFINITY;
  __device__ void add(const Group<float>& group) {
#pragma unroll
    for (int i = 0; i < 8; ++i) largest = larger(largest, group.f[i]);
  }
  __device__ float get() const { return largest; }
};

__device__ inline bool is_among(int y, int v) { return static_cast<unsigned>(y - v) < 8; }  // v to v + 7

// Reads logits v to v + 7; the target, which it notes, and those past the end become -inf.
template <class Z>
__device__ Group<Z> load_group(const Z* row, int v, int V, int y, float* target) {
  Group<Z> group;
  if (v + 8 <= V && !is_among(y, v)) {
    group.load(row + v);
    return group;
  }
  float x[8];  // nothing is read past the end: no product has written there
#pragma unroll
  for (int j = 0; j < 8; ++j) x[j] = v + j < V ? to_float(row[v + j]) : -INFINITY;
#pragma unroll
  for (int j = 0; j < 8; ++j) {
    if (v + j != y) continue;
    if (target) *target = x[j];
    x[j] = -INFINITY;
  }
  group.set(x);
  return group;
}

__device__ inline void put_target(float (&x)[8], int v, int y, float dz) {
  if (!is_among(y, v)) return;
#pragma unroll
  for (int j = 0; j < 8; ++j)
    if (v + j == y) x[j] = dz;
}

template <class Z>
struct Exponential;
template <>
struct Exponential<Half> {  // of logits with 11 bits
  static constexpr float log2_e = 1.44269504F;
  __device__ float operator()(float x) const { return exp2_fast(x * log2_e); }
  // exp(x - reference), of a reference as `scaled` gives it.
  __device__ float less(float x, float scaled) const { return exp2_fast(x * log2_e - scaled); }
  __device__ float scaled(float reference) const { return reference * log2_e; }
};
template <>
struct Exponential<float> {
  __device__ float operator()(float x) const { return expf(x); }
  __device__ float less(float x, float reference) const { return expf(x - reference); }
  __device__ float scaled(float reference) const { return reference; }
};

// What the blocks of a cluster tell each other, and a block its threads.
struct Shared {
  float partial[4][32];
  float totals[7];  // max, sum, target of z; the same of z0; the block's part of the KL
  RowMeasure measures[2];
  PlainGradient plain;
  PairedGradient paired;
};

// What the blocks measured, together; for a warp, whose lower half takes z and upper half z0, a lane per block: the
// reads of other blocks' memory and the fp64 functions take long, and the rest of the block waits. Not inlined: its
// fp64 would take the registers that hold the row.
__device__ __noinline__ void finish_measures(const RowPass& a, Shared& s, int row, unsigned blocks, bool has_original,
                                             bool writes) {
  static_assert(most_blocks <= 16);
  const unsigned lane = threadIdx.x % 32, model = lane / 16, rank = lane % 16;
  SoftSum part{-INFINITY, 0};
  float target = 0;  // only one block has it
  if (rank < blocks && (model == 0 || has_original)) {
    const float* totals = s.totals + 3 * model;
    part = {read_shared_of(totals, rank), read_shared_of(totals + 1, rank)};
    target = read_shared_of(totals + 2, rank);
  }
  float top = part.max;
#pragma unroll
  for (int lanes = 8; lanes > 0; lanes /= 2) top = larger(top, __shfl_xor_sync(~0U, top, lanes));
  double sum = relative_to(top, part);
#pragma unroll
  for (int lanes = 8; lanes > 0; lanes /= 2) {
    sum += __shfl_xor_sync(~0U, sum, lanes);
    target += __shfl_xor_sync(~0U, target, lanes);
  }
  const RowMeasure mine = measure({top, static_cast<float>(sum)}, target);
  if (rank == 0) s.measures[model] = mine;
  __syncwarp();
  if (lane != 0) return;
  if (has_original)
    s.paired = paired_gradient(mine, s.measures[1], a.scales);
  else
    s.plain = row < a.num_forget ? forget_gradient(mine, a.scales, a.method) : replay_gradient(mine, a.scales);
  if (!writes) return;
  a.m[row] = mine.m;
  a.kl[row] = 0;
}

template <class Z, class G, int held>
__global__ void __launch_bounds__(threads, held && sizeof(Z) == 2 ? 2 : 1)
    unlearn_rows_kernel(const __grid_constant__ RowPass a, unsigned blocks) {
  Shared& s = *shared_memory<Shared>();
  const unsigned rank = blockIdx.x % blocks;
  const int64_t row = blockIdx.x / blocks;
  const int V = static_cast<int>(a.V);
  const int y = a.targets[row];
  const bool is_ignored = y < 0 || y >= V, has_original = a.z0 && row >= a.first_original && row >= a.num_forget;
  const Z* z = static_cast<const Z*>(a.z) + row * a.stride;
  const Z* z0 = has_original ? static_cast<const Z*>(a.z0) + (row - a.first_original) * a.stride : nullptr;
  G* dz = a.dz ? static_cast<G*>(a.dz) + row * a.stride : nullptr;
  const int all = (V + 7) / 8;
  // A block's groups are neighbours; thread t takes every threads-th of them.
  const int mine = held ? held * threads : (all + static_cast<int>(blocks) - 1) / static_cast<int>(blocks);
  const int first = static_cast<int>(rank) * mine, last = first + mine < all ? first + mine : all;
  const int thread = static_cast<int>(threadIdx.x);
  const auto each_group = [&](auto body) {
    if constexpr (held > 0) {
#pragma unroll
      for (int k = 0; k < held; ++k) body(k, (first + k * threads + thread) * 8);
    } else {
      for (int g = first + thread; g < last; g += threads) body(0, g * 8);
    }
  };
  if (is_ignored) {  // the whole cluster
    if (thread == 0 && rank == 0) {
      if (y < -1 || y >= V) report(a.error, table::unlearn_head, IndexKind::targets, row, y, V);
      a.m[row] = a.kl[row] = 0;
    }
    const float zeros[8] = {};
    if (dz)
      each_group([&](int, int v) {
        if (v < V) store8(dz + v, zeros);
      });
    return;
  }

  Group<Z> kept[held ? held : 1], kept0[held ? held : 1];
  if (thread == 0) s.totals[2] = s.totals[5] = 0;
  __syncthreads();
  Largest<Z> largest, largest0;
  const auto compare = [&](int k) {
    largest.add(kept[k]);
    if (has_original) largest0.add(kept0[k]);
  };
  each_group([&](int k, int v) {
    kept[k] = load_group(z, v, V, y, &s.totals[2]);
    if (has_original) kept0[k] = load_group(z0, v, V, y, &s.totals[5]);
    if (held == 0) compare(k);
  });
  if (held > 0) each_group([&](int k, int) { compare(k); });
  const float max = block_max(largest.get(), s.partial[0]);
  const float max0 = has_original ? block_max(largest0.get(), s.partial[1]) : -INFINITY;

  const Exponential<Z> exponential;
  const float reference = exponential.scaled(reference_of(max)), reference0 = exponential.scaled(reference_of(max0));
  float sum = 0, sum0 = 0;
  each_group([&](int k, int v) {
    float x[8];
    (held ? kept[k] : load_group<Z>(z, v, V, y, nullptr)).get(x);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum += exponential.less(x[j], reference);
    if (!has_original) return;
    (held ? kept0[k] : load_group<Z>(z0, v, V, y, nullptr)).get(x);
#pragma unroll
    for (int j = 0; j < 8; ++j) sum0 += exponential.less(x[j], reference0);
  });
  sum = block_sum(sum, s.partial[2]);
  if (has_original) sum0 = block_sum(sum0, s.partial[3]);
  if (thread == 0) {
    s.totals[0] = max, s.totals[1] = sum;
    s.totals[3] = max0, s.totals[4] = sum0;
  }
  sync_cluster();
  if (thread < 32) finish_measures(a, s, static_cast<int>(row), blocks, has_original, rank == 0);
  __syncthreads();

  if (has_original) {
    const PairedGradient& gradient = s.paired;
    float kl = 0;
    each_group([&](int k, int v) {
      float x[8], x0[8];
      (held ? kept[k] : load_group<Z>(z, v, V, y, nullptr)).get(x);
      (held ? kept0[k] : load_group<Z>(z0, v, V, y, nullptr)).get(x0);
#pragma unroll
      for (int j = 0; j < 8; ++j) x[j] = step(gradient, x[j], x0[j], kl, exponential);
      put_target(x, v, y, gradient.target);
      if (dz && v < V) store8(dz + v, x);
    });
    kl = block_sum(kl, s.partial[0]);
    if (thread == 0) s.totals[6] = kl;
    sync_cluster();
    if (thread < 32 && rank == 0) {
      const auto lane = static_cast<unsigned>(thread);
      const double total = warp_sum(lane < blocks ? double{read_shared_of(&s.totals[6], lane)} : 0.0);
      if (lane == 0) a.kl[row] = gradient.kl + total;
    }
  } else if (dz) {
    const PlainGradient gradient = s.plain;
    each_group([&](int k, int v) {
      float x[8];
      (held ? kept[k] : load_group<Z>(z, v, V, y, nullptr)).get(x);
#pragma unroll
      for (int j = 0; j < 8; ++j) x[j] = gradient.factor * exponential((x[j] - gradient.max) - gradient.offset);
      put_target(x, v, y, gradient.target);
      if (v < V) store8(dz + v, x);
    });
  }
  sync_cluster();
}

// Blocks that hold a row of V logits: a power of two, 0 where there is no such cluster.
unsigned blocks_for(const Context& context, int64_t V, unsigned asked) {
  const int64_t per_block = int64_t{threads} * groups_held * 8;
  unsigned blocks = 1;
  while (blocks < most_blocks && int64_t{blocks} * per_block < V) blocks *= 2;
  if (asked > blocks && asked <= 8 && (asked & (asked - 1)) == 0) blocks = asked;
  if (int64_t{blocks} * per_block < V || (blocks > 1 && !context.has_clusters())) return 0;
  return blocks;
}

template <class Z, class G>
void run(Context& context, const RowPass& pass) {
  const unsigned blocks = blocks_for(context, pass.V, context.settings().row_cluster);
  const auto rows = [&](unsigned n) {
    return Launch{dim3(static_cast<unsigned>(pass.count) * n), dim3(threads), sizeof(Shared), n};
  };
  const auto held = unlearn_rows_kernel<Z, G, groups_held>;
  if (blocks > 0 && !context.settings().streamed_rows && cluster_fits(held, rows(blocks)))
    launch(context.stream(), "unlearn_head", held, rows(blocks), pass, blocks);
  else
    launch(context.stream(), "unlearn_head", unlearn_rows_kernel<Z, G, 0>, rows(1), pass, 1U);
}

}  // namespace

void unlearn_rows(Context& context, RowPass pass, Type z, Type dz) {
  pass.error = context.index_error();
  if (z == Type::f16)
    run<Half, Half>(context, pass);
  else if (dz == Type::bf16)
    run<float, Bf16>(context, pass);
  else
    run<float, float>(context, pass);
}

}  // namespace lethe::cuda
