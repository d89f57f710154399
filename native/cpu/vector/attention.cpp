// y = softmax(scale q k^T) v over the key rows first..last of each query, flash style (Dao et al. 2022): no [T, S]
// matrix, a block of queries keeps a running maximum, sum and output while key blocks that none of them sees are
// skipped. q, y [B, T, H, D]; k, v [B, S, K, D]; query head h reads head h / (H / K). Independent per (sequence, head,
// query block), so the result does not depend on the threads. Hazards: a row that has seen nothing yet has maximum
// -inf, and -inf - -inf is NaN; rows that never see anything give y = 0 and lse = -inf.
#include <math.h>
#include <omp.h>

#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/attention_block.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

struct Inputs {
  const float *q, *k, *v;
  float* packed_keys;  // [B, K, key blocks, D, key_block]
  int64_t key_blocks;
};

// Scores of one query against one key block become probabilities relative to the row's new maximum.
// Returns the factor by which what the row gathered before must shrink.
LETHE_INLINE float exponentiate(float* scores, Visible columns, float scale, float& max_so_far, float& sum) {
  for (int64_t s = 0; s < key_block; s += width) store(scores + s, load(scores + s) * scale);
  for (int64_t s = 0; s < columns.begin; ++s) scores[s] = -__builtin_inff();
  for (int64_t s = columns.end; s < key_block; ++s) scores[s] = -__builtin_inff();
  Vec top = splat(-__builtin_inff());
  for (int64_t s = 0; s < key_block; s += width) top = max(top, load(scores + s));
  const float before = max_so_far, now = max_lane(top);
  max_so_far = now > before ? now : before;
  Vec total = {};
  for (int64_t s = 0; s < key_block; s += width) {
    const Vec e = exp(load(scores + s) - max_so_far);
    store(scores + s, e);
    total = total + e;
  }
  const float shrink = before == -__builtin_inff() ? 0 : ::expf(before - max_so_far);
  sum = sum * shrink + add_lanes(total);
  return shrink;
}

// One block of queries of one head. work: scores [query_block, key_block], output [query_block, D].
void one_block(const attention_args& a, const Inputs& in, int64_t b, int64_t h, int64_t start, float* work) {
  const int64_t count = a.T - start < query_block ? a.T - start : query_block, group = h / (a.H / a.K);
  const int32_t *first = a.first.i32() + b * a.T + start, *last = a.last.i32() + b * a.T + start;
  const float* q = in.q + ((b * a.T + start) * a.H + h) * a.D;
  float *scores = work, *out = work + query_block * key_block;
  float maximum[query_block], sum[query_block];
  for (int64_t t = 0; t < count; ++t) maximum[t] = -__builtin_inff(), sum[t] = 0;
  __builtin_memset(out, 0, static_cast<size_t>(count * a.D) * 4);
  const Visible range = visible_range(first, last, count);
  for (int64_t s = range.begin / key_block * key_block; s < range.end; s += key_block) {
    const float* keys = in.packed_keys + ((b * a.K + group) * in.key_blocks + s / key_block) * a.D * key_block;
    multiply(count, key_block, a.D, {q, a.H * a.D, 1}, keys, key_block, {scores, key_block}, false);
    for (int64_t t = 0; t < count; ++t) {
      const Visible columns = visible_columns(first[t], last[t], s);
      float* row = scores + t * key_block;
      if (columns.end == 0) {
        __builtin_memset(row, 0, key_block * 4);
        continue;
      }
      const float shrink = exponentiate(row, columns, static_cast<float>(a.scale), maximum[t], sum[t]);
      map_range(0, a.D, out + t * a.D, [=](Vec o) { return o * shrink; }, out + t * a.D);
    }
    const int64_t keys_here = a.S - s < key_block ? a.S - s : key_block;
    multiply(count, a.D, keys_here, {scores, key_block, 1}, in.v + ((b * a.S + s) * a.K + group) * a.D, a.K * a.D,
             {out, a.D}, true);
  }
  for (int64_t t = 0; t < count; ++t) {
    const bool empty = last[t] < first[t];
    const float inverse = empty ? 0 : 1 / sum[t];
    a.lse.f32()[(b * a.H + h) * a.T + start + t] = empty ? -__builtin_inff() : maximum[t] + ::logf(sum[t]);
    map_range(
        0, a.D, a.y.f32() + ((b * a.T + start + t) * a.H + h) * a.D, [=](Vec o) { return o * inverse; }, out + t * a.D);
  }
}

void pack_keys(const attention_args& a, const Inputs& in) {
  parallel_for(a.B * a.S * a.K * a.D > 16384, a.B * a.K * in.key_blocks, [&](int64_t i) {
    const int64_t head = i / in.key_blocks, s = i % in.key_blocks * key_block;
    const int64_t count = a.S - s < key_block ? a.S - s : key_block;
    const float* rows = in.k + ((head / a.K * a.S + s) * a.K + head % a.K) * a.D;
    pack_transposed(rows, a.K * a.D, count, a.D, in.packed_keys + i * a.D * key_block);
  });
}

}  // namespace

void attention(const attention_args& a) {
  check_ranges("attention", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  Scratch scratch;
  const int64_t query_blocks = (a.T + query_block - 1) / query_block, key_blocks = (a.S + key_block - 1) / key_block;
  const auto rounded = [&](const Tensor& x) -> const float* {
    if (!a.bf16) return x.f32();
    float* copy = scratch.floats(static_cast<int64_t>(x.bytes / 4));
    round_to_bf16(x.f32(), copy, static_cast<int64_t>(x.bytes / 4));
    return copy;
  };
  const Inputs in{rounded(a.q), rounded(a.k), rounded(a.v), scratch.floats(a.B * a.K * key_blocks * a.D * key_block),
                  key_blocks};
  pack_keys(a, in);
  // One slice of working memory per thread, taken here: nothing may throw inside the loop.
  const int64_t slice = query_block * (key_block + a.D);
  float* work = scratch.floats(slice * omp_get_max_threads());
  parallel_for_uneven(a.B * a.T * a.S * a.H * a.D > 65536, a.B * a.H * query_blocks, [&](int64_t i) {
    const int64_t head = i / query_blocks, start = i % query_blocks * query_block;
    one_block(a, in, head / a.H, head % a.H, start, work + slice * omp_get_thread_num());
  });
}

}  // namespace lethe::cpu::LETHE_ISA
