// y = softmax(scale q k^T) v over the key rows first..last of each query, flash style (Dao et al. 2022): no [T, S]
// matrix. q, y [B, T, H, D]; k, v [B, S, K, D]; query head h reads head h / (H / K). Keys and values are packed once
// per key/value head. A block of queries takes up to 512 keys at a time: scores in cache, softmax over them in base 2,
// then the product with v; groups of 16 keys that no query of a tile sees are skipped in both products. With bf16 the
// probabilities are rounded to bf16 too, before the division by their sum, which is of the unrounded ones.
// Independent per (sequence, head, query block), so the result does not depend on the threads. Hazards: a row that has
// seen nothing yet has maximum -inf, and -inf - -inf is NaN; rows that never see anything give y = 0 and lse = -inf.
#include <math.h>
#include <omp.h>

#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/attention_block.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t query_block = 48, key_chunk = 512, tiles = query_block / tile_rows;

// What one query has gathered. Scores are in base 2: times scale log2(e).
struct Row {
  float max, sum;
};

// Scores of the keys in `range` become 2^(score - the row's maximum so far), as fp32 or bf16 from the row's start on.
// `scores` holds the key `start` first. Returns the factor by which what the row gathered before must shrink.
template <class Unit>
LETHE_INLINE float exponentiate(float* scores, int64_t start, Visible range, Seen seen, float scale, Row& row) {
  Vec top = splat(-__builtin_inff());
  for (int64_t s = range.begin; s < range.end; s += width) {
    const Vec x = load(scores + s - start) * scale;
    top = max(top, seen.whole(s) ? x : seen.choose(s, x, splat(-__builtin_inff())));
  }
  const float before = row.max, now = max_lane(top);
  row.max = now > before ? now : before;
  Vec total = {};
  for (int64_t s = range.begin; s < range.end; s += width) {
    Vec p = exp2_of_score(load(scores + s - start) * scale - row.max);
    if (!seen.whole(s)) p = seen.choose(s, p, Vec{});
    total = total + p;
    if constexpr (Unit::per_unit == 2)
      store_bf16(reinterpret_cast<uint16_t*>(scores) + s - start, p);
    else
      store(scores + s - start, p);
  }
  const float shrink = before == -__builtin_inff() ? 0 : ::exp2f(before - row.max);
  row.sum = row.sum * shrink + add_lanes(total);
  return shrink;
}

template <class Unit, class E>
struct Forward {
  const attention_args& a;
  int64_t D, row, key_blocks;  // D padded, row: units of it, as a sum
  float *keys, *values;        // [B, K, key blocks, row, key_block], [B, K, keys padded / per_unit, D]

  explicit Forward(const attention_args& args, Scratch& scratch)
      : a(args),
        D(round_up(a.D, column_group)),
        row(D / Unit::per_unit),
        key_blocks((a.S + key_block - 1) / key_block),
        keys(scratch.floats(a.B * a.K * key_blocks * key_block * row)),
        values(scratch.floats(a.B * a.K * key_blocks * key_block * row)) {}

  int64_t work_size() const { return query_block * (key_chunk + row + D) + key_block * row; }

  Head<E> head(const Tensor& x, int64_t b, int64_t length, int64_t count, int64_t h) const {
    return head_of<E>(x, b, length, count, h, a.D);
  }

  void pack(int64_t b, int64_t group, int64_t block, float* work) const {
    const int64_t to = ((b * a.K + group) * key_blocks + block) * key_block * row, s = block * key_block;
    pack_columns<Unit>(head(a.k, b, a.S, a.K, group), s, a.S, work, keys + to);
    pack_along_rows<Unit>(head(a.v, b, a.S, a.K, group), s, s + key_block, a.S, values + to);
  }

  // One block of queries of one head. work: scores [query_block, key_chunk], output [query_block, D], queries.
  void one_block(int64_t b, int64_t h, int64_t start, float* work) const {
    const int64_t count = at_most(a.T - start, query_block), group = b * a.K + h / (a.H / a.K);
    const int32_t *first = a.first.i32() + b * a.T + start, *last = a.last.i32() + b * a.T + start;
    float *scores = work, *out = scores + query_block * key_chunk, *q = out + query_block * D;
    pack_along_width<Unit>(head(a.q, b, a.T, a.H, h), start, start + count, q);
    __builtin_memset(out, 0, static_cast<size_t>(count * D) * 4);
    E* y = row_of<E>(a.y, (b * a.T + start) * a.H + h, a.D);
    Row rows[query_block];
    for (int64_t t = 0; t < count; ++t) {
      rows[t] = {-__builtin_inff(), 0};
      prefetch_row(y + t * a.H * a.D, a.D);
    }
    Visible ranges[tiles];
    for (int64_t i = 0; i * tile_rows < count; ++i)
      ranges[i] = visible_range(first + i * tile_rows, last + i * tile_rows, at_most(count - i * tile_rows, tile_rows));
    const Visible all = visible_range(first, last, count);
    const float* my_keys = keys + group * key_blocks * key_block * row;
    const float* my_values = values + group * key_blocks * key_block * row;
    for (int64_t s = all.begin / key_block * key_block; s < all.end; s += key_chunk) {
      const int64_t end = at_most(s + key_chunk, round_up(all.end, column_group));
      multiply_keys(q, count, ranges, s, end, my_keys, scores);
      for (int64_t t = 0; t < count; t += tile_rows) {
        const Visible range = within(ranges[t / tile_rows], s, end);
        if (range.begin == range.end) continue;
        const int64_t here = at_most(count - t, tile_rows);
        for (int64_t i = t; i < t + here; ++i) {
          const float shrink = exponentiate<Unit>(scores + i * key_chunk, s, range, {first[i], last[i]},
                                                  static_cast<float>(a.scale * log2_e), rows[i]);
          if (shrink != 1) map_range(0, D, out + i * D, [=](Vec o) { return o * shrink; }, out + i * D);
        }
        const float* p = scores + t * key_chunk + (range.begin - s) / Unit::per_unit;
        multiply<Unit>(here, D, (range.end - range.begin) / Unit::per_unit, {p, key_chunk, 1},
                       {my_values + range.begin / Unit::per_unit * D, D}, {out + t * D, D}, true);
      }
    }
    for (int64_t t = 0; t < count; ++t) {
      const bool empty = last[t] < first[t];
      const float inverse = empty ? 0 : 1 / rows[t].sum;
      a.lse.f32()[(b * a.H + h) * a.T + start + t] =
          empty ? -__builtin_inff() : static_cast<float>(rows[t].max / log2_e + ::log(rows[t].sum));
      map_range(0, a.D, y + t * a.H * a.D, [=](Vec o) { return o * inverse; }, out + t * D);
    }
  }

  // Scores of the block's queries and the keys from begin to end, one block of keys after the other.
  void multiply_keys(const float* q, int64_t count, const Visible* ranges, int64_t begin, int64_t end,
                     const float* my_keys, float* scores) const {
    for (int64_t s = begin; s < end; s += key_block)
      for (int64_t t = 0; t < count; t += tile_rows) {
        const Visible part = within(ranges[t / tile_rows], s, at_most(s + key_block, end));
        multiply<Unit>(at_most(count - t, tile_rows), part.end - part.begin, row, {q + t * row, row, 1},
                       {my_keys + s * row + part.begin - s, key_block},
                       {scores + t * key_chunk + part.begin - begin, key_chunk}, false);
      }
  }
};

template <class Unit, class E>
void run(const attention_args& a) {
  Scratch scratch;
  const Forward<Unit, E> pass(a, scratch);
  const int64_t query_blocks = (a.T + query_block - 1) / query_block, slice = round_up(pass.work_size(), 16);
  // One slice of working memory per thread, taken here: nothing may throw inside the loops.
  float* work = scratch.floats(slice * omp_get_max_threads());
  const auto mine = [=] { return work + slice * omp_get_thread_num(); };
  parallel_for(a.B * a.S * a.K * a.D > 16384, a.B * a.K * pass.key_blocks, [&](int64_t i) {
    const int64_t head = i / pass.key_blocks;
    pass.pack(head / a.K, head % a.K, i % pass.key_blocks, mine());
  });
  parallel_for_uneven(a.B * a.T * a.S * a.H * a.D > 65536, a.B * a.H * query_blocks, [&](int64_t i) {
    const int64_t head = i / query_blocks, start = i % query_blocks * query_block;
    pass.one_block(head / a.H, head % a.H, start, mine());
  });
}

}  // namespace

void attention(const attention_args& a) {
  check_ranges("attention", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  if (!a.q.bf16) return run<Single, float>(a);
  run<Bf16Unit, Bf16>(a);
}

}  // namespace lethe::cpu::LETHE_ISA
