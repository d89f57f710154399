// With P = exp(scale q k^T - lse) and delta = rowsum(dy y): dv = P^T dy, dS = scale P (dy v^T - delta), dq = dS k,
// dk = dS^T q. P is recomputed by blocks, never stored. One thread does all of a (sequence, key/value head): dk and dv
// gather over its query heads and blocks in order, so the result does not depend on the threads.
// Hazard: an empty row has lse = -inf; its columns are cleared, not exponentiated.
#include <omp.h>

#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/attention_block.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

struct Inputs {
  const float *q, *k, *v, *dy;
};

// Per thread. packed_*: [key blocks, D, key_block]; p, ds: [query_block, key_block].
struct Work {
  float *packed_keys, *packed_values, *p, *ds;
};

// p holds scores and ds holds dy v^T of one query; they become P and dS.
LETHE_INLINE void differentiate(float* p, float* ds, Visible columns, float scale, float lse, float delta) {
  for (int64_t s = 0; s < key_block; s += width) {
    const Vec probability = exp(load(p + s) * scale - lse);
    store(p + s, probability);
    store(ds + s, probability * (load(ds + s) - delta) * scale);
  }
  for (int64_t s = 0; s < columns.begin; ++s) p[s] = ds[s] = 0;
  for (int64_t s = columns.end; s < key_block; ++s) p[s] = ds[s] = 0;
}

void one_block(const attention_backward_args& a, const Inputs& in, int64_t b, int64_t h, int64_t start, const Work& w) {
  const int64_t count = a.T - start < query_block ? a.T - start : query_block, group = h / (a.H / a.K);
  const int64_t row0 = ((b * a.T + start) * a.H + h) * a.D, stride = a.H * a.D, key_stride = a.K * a.D;
  const int32_t *first = a.first.i32() + b * a.T + start, *last = a.last.i32() + b * a.T + start;
  const float* lse = a.lse.f32() + (b * a.H + h) * a.T + start;
  float delta[query_block];
  for (int64_t t = 0; t < count; ++t) {
    const float *y = a.y.f32() + row0 + t * stride, *dy = in.dy + row0 + t * stride;
    double sum = 0;
    for (int64_t d = 0; d < a.D; ++d) sum += static_cast<double>(y[d]) * static_cast<double>(dy[d]);
    delta[t] = static_cast<float>(sum);
  }
  const Visible range = visible_range(first, last, count);
  const int64_t begin = range.begin / key_block * key_block;
  for (int64_t t = 0; t < count && range.end == 0; ++t)
    __builtin_memset(a.dq.f32() + row0 + t * stride, 0, static_cast<size_t>(a.D) * 4);
  for (int64_t s = begin; s < range.end; s += key_block) {
    const int64_t keys = a.S - s < key_block ? a.S - s : key_block, key0 = ((b * a.S + s) * a.K + group) * a.D;
    const int64_t packed = s * a.D;
    multiply(count, key_block, a.D, {in.q + row0, stride, 1}, w.packed_keys + packed, key_block, {w.p, key_block},
             false);
    multiply(count, key_block, a.D, {in.dy + row0, stride, 1}, w.packed_values + packed, key_block, {w.ds, key_block},
             false);
    for (int64_t t = 0; t < count; ++t)
      differentiate(w.p + t * key_block, w.ds + t * key_block, visible_columns(first[t], last[t], s),
                    static_cast<float>(a.scale), lse[t], delta[t]);
    multiply(count, a.D, keys, {w.ds, key_block, 1}, in.k + key0, key_stride, {a.dq.f32() + row0, stride}, s != begin);
    multiply(keys, a.D, count, {w.p, 1, key_block}, in.dy + row0, stride, {a.dv.f32() + key0, key_stride}, true);
    multiply(keys, a.D, count, {w.ds, 1, key_block}, in.q + row0, stride, {a.dk.f32() + key0, key_stride}, true);
  }
}

// All queries that read one key/value head of one sequence.
void one_head(const attention_backward_args& a, const Inputs& in, int64_t b, int64_t group, const Work& w) {
  for (int64_t s = 0; s < a.S; s += key_block) {
    const int64_t count = a.S - s < key_block ? a.S - s : key_block, key0 = ((b * a.S + s) * a.K + group) * a.D;
    pack_transposed(in.k + key0, a.K * a.D, count, a.D, w.packed_keys + s * a.D);
    pack_transposed(in.v + key0, a.K * a.D, count, a.D, w.packed_values + s * a.D);
    for (int64_t i = 0; i < count; ++i) {
      __builtin_memset(a.dk.f32() + key0 + i * a.K * a.D, 0, static_cast<size_t>(a.D) * 4);
      __builtin_memset(a.dv.f32() + key0 + i * a.K * a.D, 0, static_cast<size_t>(a.D) * 4);
    }
  }
  const int64_t heads = a.H / a.K;
  for (int64_t h = group * heads; h < (group + 1) * heads; ++h)
    for (int64_t t = 0; t < a.T; t += query_block) one_block(a, in, b, h, t, w);
}

}  // namespace

void attention_backward(const attention_backward_args& a) {
  check_ranges("attention_backward", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  Scratch scratch;
  const auto rounded = [&](const Tensor& x) -> const float* {
    if (!a.bf16) return x.f32();
    float* copy = scratch.floats(static_cast<int64_t>(x.bytes / 4));
    round_to_bf16(x.f32(), copy, static_cast<int64_t>(x.bytes / 4));
    return copy;
  };
  const Inputs in{rounded(a.q), rounded(a.k), rounded(a.v), rounded(a.dy)};
  const int64_t packed = (a.S + key_block - 1) / key_block * key_block * a.D;
  // One slice of working memory per thread, taken here: nothing may throw inside the loop.
  const int64_t scores = query_block * key_block, slice = 2 * packed + 2 * scores;
  float* work = scratch.floats(slice * omp_get_max_threads());
  parallel_for_uneven(a.B * a.T * a.S * a.H * a.D > 65536, a.B * a.K, [&](int64_t i) {
    float* mine = work + slice * omp_get_thread_num();
    const Work parts{mine, mine + packed, mine + 2 * packed, mine + 2 * packed + scores};
    one_head(a, in, i / a.K, i % a.K, parts);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
