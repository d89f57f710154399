// With P = exp(scale q k^T - lse) and delta = rowsum(dy y): dv = P^T dy, dS = P (dy v^T - delta), dq = scale dS k,
// dk = scale dS^T q. Key blocks are the outer loop: P and dS of up to 516 queries and 64 keys are kept, so that dk and
// dv of a block are products over all these queries while dq gathers over the blocks. With bf16, P and dS are rounded
// to bf16 for those products. One thread does all query heads of a (sequence, key/value head), in order; where that
// would leave threads idle, every query head has its own dk and dv, summed in order afterwards. Which of the two is
// decided by shape, so the result does not depend on the threads.
// Hazards: an empty row has lse = -inf; its columns are chosen to be 0, whatever the exponential says. A row that sees
// one key has P = 1 and dS = 0, which P (dP - delta) misses by a rounding.
#include <omp.h>

#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/attention_block.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t query_chunk = 516;  // a multiple of tile_rows, so that T = 512 is one chunk
constexpr int64_t groups = key_block / column_group;
constexpr int64_t enough_items = 16;  // (sequence, key/value head) pairs that keep threads busy

// The product of row t of both, over D.
template <class E>
LETHE_INLINE float dot(const Head<E>& x, const Head<E>& y, int64_t t) {
  Vec sum = {};
  for (int64_t d = 0; d < x.D; d += width) sum = sum + x.read(t, d) * y.read(t, d);
  return add_lanes(sum);
}

// Which queries of a chunk see each group of keys of a block, as a range of rows.
struct Seers {
  int64_t begin[groups], end[groups];
};

// Working memory of a thread, in units or fp32 numbers.
struct Work {
  float *key_columns, *value_columns, *key_rows;        // packed key/value head
  float *q_rows, *dy_rows, *q_pairs, *dy_pairs;         // packed query head
  float *delta, *lse;                                   // per query; lse in base 2
  float *dq, *dk, *dv;                                  // [T, D], [keys padded, D], D padded
  float *p, *ds;                                        // [query_chunk / per_unit, key_block]
  float *tile_scores, *tile_dp, *tile_ds, *block_rows;  // [tile_rows, key_block] three times; see pack_columns
};

template <class Unit, class E>
struct Backward {
  const attention_backward_args& a;
  int64_t D, row, keys, queries, heads;  // D, S and T padded; row: units of D, as a sum; query heads per item

  explicit Backward(const attention_backward_args& args)
      : a(args),
        D(round_up(a.D, column_group)),
        row(D / Unit::per_unit),
        keys(round_up(a.S, key_block)),
        queries(round_up(a.T, tile_rows)),
        heads(a.B * a.K < enough_items ? 1 : a.H / a.K) {}

  int64_t items() const { return a.B * a.H / heads; }
  bool is_split() const { return heads * a.K < a.H; }

  // Lays the parts out from `start` on, where it is given, and returns their size; dk and dv are elsewhere when split.
  int64_t lay_out(Work& w, float* start) const {
    int64_t next = 0;
    const auto take = [&](float*& part, int64_t count) {
      part = start ? start + next : nullptr;
      next += round_up(count, 16);
    };
    const int64_t pairs = Unit::per_unit == 2 ? queries / 2 * D : 0;
    take(w.key_columns, keys * row), take(w.value_columns, keys * row), take(w.key_rows, keys * row);
    take(w.q_rows, queries * row), take(w.dy_rows, queries * row), take(w.q_pairs, pairs), take(w.dy_pairs, pairs);
    if (Unit::per_unit == 1) w.q_pairs = w.q_rows, w.dy_pairs = w.dy_rows;
    take(w.delta, queries), take(w.lse, queries), take(w.dq, queries * D);
    take(w.dk, is_split() ? 0 : keys * D), take(w.dv, is_split() ? 0 : keys * D);
    take(w.p, query_chunk / Unit::per_unit * key_block), take(w.ds, query_chunk / Unit::per_unit * key_block);
    take(w.tile_scores, tile_rows * key_block), take(w.tile_dp, tile_rows * key_block);
    take(w.tile_ds, tile_rows * key_block), take(w.block_rows, key_block * row);
    return next;
  }

  Head<E> head(const Tensor& x, int64_t b, int64_t length, int64_t count, int64_t h) const {
    return head_of<E>(x, b, length, count, h, a.D);
  }

  void pack_keys(int64_t b, int64_t group, const Work& w) const {
    const Head<E> k = head(a.k, b, a.S, a.K, group), v = head(a.v, b, a.S, a.K, group);
    for (int64_t s = 0; s < keys; s += key_block) {
      pack_columns<Unit>(k, s, a.S, w.block_rows, w.key_columns + s * row);
      pack_columns<Unit>(v, s, a.S, w.block_rows, w.value_columns + s * row);
    }
    pack_along_rows<Unit>(k, 0, keys, a.S, w.key_rows);
  }

  void pack_queries(int64_t b, int64_t h, const Work& w) const {
    const Head<E> q = head(a.q, b, a.T, a.H, h), dy = head(a.dy, b, a.T, a.H, h);
    pack_along_rows<Unit>(q, 0, queries, a.T, w.q_pairs);
    pack_along_rows<Unit>(dy, 0, queries, a.T, w.dy_pairs);
    if constexpr (Unit::per_unit == 2) {  // with Single, these are the same
      pack_along_width<Unit>(q, 0, a.T, w.q_rows);
      pack_along_width<Unit>(dy, 0, a.T, w.dy_rows);
    }
    const Head<E> y = head(a.y, b, a.T, a.H, h);
    for (int64_t t = 0; t < a.T; ++t) {
      w.delta[t] = dot(y, dy, t);
      w.lse[t] = static_cast<float>(log2_e) * a.lse.f32()[(b * a.H + h) * a.T + t];
    }
  }

  // All query heads of an item: dk and dv over all of them, dq of each.
  void one_item(int64_t item, const Work& w) const {
    const int64_t first_head = item * heads, b = first_head / a.H, group = first_head % a.H / (a.H / a.K);
    pack_keys(b, group, w);
    __builtin_memset(w.dk, 0, static_cast<size_t>(keys * D) * 4);
    __builtin_memset(w.dv, 0, static_cast<size_t>(keys * D) * 4);
    for (int64_t h = first_head % a.H; h < first_head % a.H + heads; ++h) {
      pack_queries(b, h, w);
      __builtin_memset(w.dq, 0, static_cast<size_t>(a.T * D) * 4);
      for (int64_t s = 0; s < a.S; s += key_block)
        for (int64_t t = 0; t < a.T; t += query_chunk) one_block(b, s, t, w);
      const float scale = static_cast<float>(a.scale);
      E* dq = row_of<E>(a.dq, b * a.T * a.H + h, a.D);
      for (int64_t t = 0; t < a.T; ++t, dq += a.H * a.D) {
        prefetch_row(dq + 8 * a.H * a.D, a.D);
        map_range(0, a.D, dq, [=](Vec x) { return x * scale; }, w.dq + t * D);
      }
    }
    if (!is_split()) write_keys(b, group, 0, a.S, w.dk, w.dv, 1);
  }

  // dk and dv of some keys: sums over `count` consecutive [keys, D] blocks, 2 keys D apart.
  void write_keys(int64_t b, int64_t group, int64_t begin, int64_t end, const float* dk, const float* dv,
                  int64_t count) const {
    for (int64_t s = begin; s < end; ++s) {
      const int64_t to = (b * a.S + s) * a.K + group;
      write_row(row_of<E>(a.dk, to, a.D), dk + s * D, count, static_cast<float>(a.scale));
      write_row(row_of<E>(a.dv, to, a.D), dv + s * D, count, 1);
    }
  }

  LETHE_INLINE void write_row(E* to, const float* from, int64_t count, float scale) const {
    prefetch_row(to + 8 * a.K * a.D, a.D);
    const auto sum = [&](int64_t d) {
      Vec total = load(from + d);
      for (int64_t i = 1; i < count; ++i) total = total + load(from + 2 * i * keys * D + d);
      return total * scale;
    };
    each_vector(
        0, a.D, [&](int64_t d) { store(to + d, sum(d)); },
        [&](int64_t d, int64_t rest) { store_part(to + d, sum(d), rest); });
  }

  // The keys from s on against the queries of a chunk.
  void one_block(int64_t b, int64_t s, int64_t chunk, const Work& w) const {
    const int32_t *first = a.first.i32() + b * a.T, *last = a.last.i32() + b * a.T;
    const int64_t chunk_end = at_most(chunk + query_chunk, a.T);
    Seers seers;
    for (int64_t g = 0; g < groups; ++g) seers.begin[g] = INT32_MAX, seers.end[g] = 0;
    bool any = false;
    for (int64_t t = chunk; t < chunk_end; t += tile_rows) {
      const int64_t count = at_most(chunk_end - t, tile_rows);
      const Visible seen = within(visible_range(first + t, last + t, count), s, s + key_block);
      const Visible range{seen.begin - s, seen.end - s};
      if (range.begin == range.end && !any) continue;
      any = true;
      one_tile(t, count, range, s, first + t, last + t, w, (t - chunk) / Unit::per_unit * key_block);
      for (int64_t g = range.begin / column_group; g < range.end / column_group; ++g) {
        seers.begin[g] = at_most(seers.begin[g], t);
        seers.end[g] = t + tile_rows;
      }
    }
    if (any) multiply_queries(s, chunk, seers, w);
  }

  // P, dS and the part of dq of one tile of queries and the columns `range` of the key block s.
  void one_tile(int64_t t, int64_t count, Visible range, int64_t s, const int32_t* first, const int32_t* last,
                const Work& w, int64_t offset) const {
    const int64_t columns = range.end - range.begin;
    float *p = w.p + offset, *ds = w.ds + offset;
    if (columns < key_block) {
      __builtin_memset(p, 0, tile_rows / Unit::per_unit * key_block * 4);
      __builtin_memset(ds, 0, tile_rows / Unit::per_unit * key_block * 4);
      if (columns == 0) return;
    }
    const int64_t from = s * row + range.begin;
    multiply<Unit>(count, columns, row, {w.q_rows + t * row, row, 1}, {w.key_columns + from, key_block},
                   {w.tile_scores + range.begin, key_block}, false);
    multiply<Unit>(count, columns, row, {w.dy_rows + t * row, row, 1}, {w.value_columns + from, key_block},
                   {w.tile_dp + range.begin, key_block}, false);
    for (int64_t i = 0; i < tile_rows; i += 2) {
      const auto seen = [&](int64_t r) { return r < count ? Seen{first[r] - s, last[r] - s} : Seen{0, -1}; };
      differentiate(w, t, i, range, seen(i), seen(i + 1), p, ds);
    }
    const float* rows = (Unit::per_unit == 2 ? w.tile_ds : ds) + range.begin / Unit::per_unit;
    multiply<Unit>(count, D, columns / Unit::per_unit, {rows, key_block / Unit::per_unit, 1},
                   {w.key_rows + (s + range.begin) / Unit::per_unit * D, D}, {w.dq + t * D, D}, true);
  }

  // Rows i and i + 1 of a tile: scores become P, and dy v^T becomes dS, for the products that sum over queries; with
  // Pair also rows of dS for the one that sums over keys.
  LETHE_INLINE void differentiate(const Work& w, int64_t t, int64_t i, Visible range, Seen seen0, Seen seen1, float* p,
                                  float* ds) const {
    const float scale = static_cast<float>(a.scale * log2_e);
    const float *scores = w.tile_scores + i * key_block, *dp = w.tile_dp + i * key_block;
    const float lse0 = w.lse[t + i], lse1 = w.lse[t + i + 1], delta0 = w.delta[t + i], delta1 = w.delta[t + i + 1];
    for (int64_t c = range.begin; c < range.end; c += width) {
      Vec p0 = exp2_of_score(load(scores + c) * scale - lse0);
      Vec p1 = exp2_of_score(load(scores + key_block + c) * scale - lse1);
      Vec ds0 = p0 * (load(dp + c) - delta0), ds1 = p1 * (load(dp + key_block + c) - delta1);
      if (!seen0.whole(c) || !seen1.whole(c)) {
        p0 = seen0.choose(c, p0, Vec{}), ds0 = seen0.several().choose(c, ds0, Vec{});
        p1 = seen1.choose(c, p1, Vec{}), ds1 = seen1.several().choose(c, ds1, Vec{});
      }
      if constexpr (Unit::per_unit == 2) {
        store(p + i / 2 * key_block + c, bf16_pairs(p0, p1));
        store(ds + i / 2 * key_block + c, bf16_pairs(ds0, ds1));
        auto* halves = reinterpret_cast<uint16_t*>(w.tile_ds) + i * key_block + c;
        store_bf16(halves, ds0);
        store_bf16(halves + key_block, ds1);
      } else {
        store(p + i * key_block + c, p0);
        store(p + (i + 1) * key_block + c, p1);
        store(ds + i * key_block + c, ds0);
        store(ds + (i + 1) * key_block + c, ds1);
      }
    }
  }

  // dv += P^T dy, dk += dS^T q for the keys from s on, over the queries of the chunk that see them.
  void multiply_queries(int64_t s, int64_t chunk, const Seers& seers, const Work& w) const {
    for (int64_t c = 0; c < key_block; c += tile_rows) {
      const int64_t count = at_most(key_block - c, tile_rows), g = c / column_group, h = (c + count - 1) / column_group;
      const int64_t begin = at_most(seers.begin[g], seers.begin[h]), end = at_least(seers.end[g], seers.end[h]);
      if (begin >= end) continue;
      const int64_t units = (end - begin) / Unit::per_unit, left = (begin - chunk) / Unit::per_unit * key_block + c;
      const int64_t right = begin / Unit::per_unit * D, to = (s + c) * D;
      multiply<Unit>(count, D, units, {w.p + left, 1, key_block}, {w.dy_pairs + right, D}, {w.dv + to, D}, true);
      multiply<Unit>(count, D, units, {w.ds + left, 1, key_block}, {w.q_pairs + right, D}, {w.dk + to, D}, true);
    }
  }
};

template <class Unit, class E>
void run(const attention_backward_args& a) {
  Scratch scratch;
  const Backward<Unit, E> pass(a);
  Work sizes;
  const int64_t slice = pass.lay_out(sizes, nullptr);
  // One slice of working memory per thread, taken here: nothing may throw inside the loops.
  float* work = scratch.floats(slice * omp_get_max_threads());
  const int64_t block = pass.keys * pass.D;
  float* partial = pass.is_split() ? scratch.floats(pass.items() * 2 * block) : nullptr;
  parallel_for_uneven(a.B * a.T * a.S * a.H * a.D > 65536, pass.items(), [&](int64_t item) {
    Work mine;
    pass.lay_out(mine, work + slice * omp_get_thread_num());
    if (partial) mine.dk = partial + 2 * item * block, mine.dv = mine.dk + block;
    pass.one_item(item, mine);
  });
  if (!partial) return;
  parallel_for(a.B * a.S * a.H * a.D > 65536, a.B * a.K * (pass.keys / key_block), [&](int64_t i) {
    const int64_t head = i / (pass.keys / key_block), s = i % (pass.keys / key_block) * key_block;
    const float* from = partial + 2 * head * (a.H / a.K) * block;
    pass.write_keys(head / a.K, head % a.K, s, at_most(s + key_block, a.S), from, from + block, a.H / a.K);
  });
}

}  // namespace

void attention_backward(const attention_backward_args& a) {
  check_ranges("attention_backward", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  if (!a.q.bf16) return run<Single, float>(a);
  run<Bf16Unit, Bf16>(a);
}

}  // namespace lethe::cpu::LETHE_ISA
