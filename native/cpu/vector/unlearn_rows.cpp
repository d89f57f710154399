// The pass over a chunk of logits z [count, V] between the matrix products of the fused head: loss, KL and dz.
// docs/math.md, section 2. Three reads of z (maximum, sum of exponentials, gradient), from cache after the first.
//   forget row:  dz_v = -s c q_v, dz_y = s c;  q = softmax over v != y, c = p (complement) or 1 - p (ga)
//   replay row:  dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori)
// Hazards: LSE over v != y is never derived from the LSE over all, which cancels as p -> 1; 1 - p is sigmoid(-m);
// exponents are (z - max) - offset, which loses nothing to a large common logit; KL and p - p_ori go through
// exp(-d) - 1 + d, d = log p_ori - log p, which has no cancelling terms and is exactly 0 when the models agree.
#include <math.h>

#include "cpu/parallel.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

double softplus(double x) { return x > 0 ? x + ::log1p(::exp(-x)) : ::log1p(::exp(x)); }
double sigmoid(double x) { return 1 / (1 + ::exp(-x)); }

// One row's logits against its target. max and log_sum are over v != y; log_all is log sum over all v, less max.
struct Row {
  float max;
  double log_sum, m, log_all;
};

// Leaves z[y] far below the others, so that later passes give it no weight.
Row measure(float* z, int64_t V, int64_t y) {
  const float target = z[y];
  z[y] = -__builtin_inff();
  Vec max4[4] = {splat(z[y]), splat(z[y]), splat(z[y]), splat(z[y])};
  int64_t v = 0;
  for (; v + 4 * width <= V; v += 4 * width)
    for (int64_t k = 0; k < 4; ++k) max4[k] = max(max4[k], load(z + v + k * width));
  float top = max_lane(max(max(max4[0], max4[1]), max(max4[2], max4[3])));
  for (; v < V; ++v) top = z[v] > top ? z[v] : top;
  Vec sum4[4] = {};
  for (v = 0; v + 4 * width <= V; v += 4 * width)
    for (int64_t k = 0; k < 4; ++k) sum4[k] = sum4[k] + exp_of_score(load(z + v + k * width) - top);
  double sum = sum_lanes(sum4[0]) + sum_lanes(sum4[1]) + sum_lanes(sum4[2]) + sum_lanes(sum4[3]);
  Vec rest = {};
  each_vector(
      v, V, [&](int64_t i) { rest = rest + exp_of_score(load(z + i) - top); },
      [&](int64_t i, int64_t n) {
        const Vec e = exp_of_score(load_part(z + i, n) - top);
        for (int64_t j = 0; j < n; ++j) rest[j] += e[j];
      });
  sum += sum_lanes(rest);
  const double log_sum = ::log(sum), m = static_cast<double>(target) - static_cast<double>(top) - log_sum;
  z[y] = top - 200;  // exp(-200) is 0 in fp32, and the differences of log p stay finite
  return {top, log_sum, m, log_sum + softplus(m)};
}

// A row of dz: fp32, which may be the row of z itself, or bf16.
struct Sink {
  void* dz;
  bool bf16;
  uint16_t* halves() const { return static_cast<uint16_t*>(dz); }
  float* floats() const { return static_cast<float*>(dz); }
  LETHE_INLINE void put(int64_t v, Vec x) const {
    if (bf16)
      store_bf16(halves() + v, x);
    else
      store(floats() + v, x);
  }
  LETHE_INLINE void put(int64_t v, Vec x, int64_t n) const {
    if (bf16)
      store_bf16_part(halves() + v, x, n);
    else
      store_part(floats() + v, x, n);
  }
};

// dz_v = factor exp(z_v - max - offset)
void scaled_softmax(const float* z, int64_t V, float max, double offset, double factor, const Sink& sink) {
  const float off = static_cast<float>(offset), f = static_cast<float>(factor);
  each_vector(
      0, V, [&](int64_t v) { sink.put(v, f * exp_of_score((load(z + v) - max) - off)); },
      [&](int64_t v, int64_t n) { sink.put(v, f * exp_of_score((load_part(z + v, n) - max) - off), n); });
}

// exp(-d) - 1 + d, the Taylor series for |d| < 0.5.
LETHE_INLINE Vec excess_series(Vec d) {
  Vec s = splat(-1.0f / 362880);
  s = s * d + 1.0f / 40320;
  s = s * d - 1.0f / 5040;
  s = s * d + 1.0f / 720;
  s = s * d - 1.0f / 120;
  s = s * d + 1.0f / 24;
  s = s * d - 1.0f / 6;
  s = s * d + 0.5f;
  return s * (d * d);
}

struct Replay {
  float max, offset, max0, offset0, scale_replay, scale_mitigation;

  // dz of one vector of logits; adds its part of the KL.
  LETHE_INLINE Vec step(Vec z, Vec z0, Vec& kl) const {
    const Vec log_p = (z - max) - offset, log_p0 = (z0 - max0) - offset0, d = log_p0 - log_p;
    const Vec p = exp_of_score(log_p), p0 = exp_of_score(log_p0), series = p0 * excess_series(d);
    const IntVec small = (d < 0.5f) & (d > -0.5f);
    const Vec gap = small ? series - p0 * d : p - p0;
    kl = kl + (small ? series : gap + p0 * d);
    return scale_replay * p + scale_mitigation * gap;
  }
};

double replay_rows(const UnlearnRows& rows, const float* z, const float* z0, const Row& row, const Row& original,
                   const Sink& sink) {
  const auto narrow = [](double x) { return static_cast<float>(x); };
  const Replay replay{row.max,
                      narrow(row.log_all),
                      original.max,
                      narrow(original.log_all),
                      narrow(rows.scale_replay),
                      narrow(rows.scale_mitigation)};
  Vec kl = {};
  each_vector(
      0, rows.V,
      [&](int64_t v) {
        const Vec dz = replay.step(load(z + v), load(z0 + v), kl);
        if (sink.dz) sink.put(v, dz);
      },
      [&](int64_t v, int64_t n) {
        Vec part = {};
        const Vec dz = replay.step(load_part(z + v, n), load_part(z0 + v, n), part);
        for (int64_t j = 0; j < n; ++j) kl[j] += part[j];
        if (sink.dz) sink.put(v, dz, n);
      });
  return sum_lanes(kl);
}

void put_target(const Sink& sink, int64_t y, double dz) {
  if (sink.dz) sink.put(y, splat(static_cast<float>(dz)), 1);
}

void one_row(const UnlearnRows& rows, int64_t r) {
  const int64_t V = rows.V, y = rows.targets[r], original_row = r - (rows.count - rows.num_original);
  float* z = rows.z + r * V;
  const int64_t dz_bytes = r * V * (rows.bf16 ? 2 : 4);
  const Sink sink{rows.dz ? static_cast<char*>(rows.dz) + dz_bytes : nullptr, rows.bf16};
  const Row row = measure(z, V, y);
  const double complement = sigmoid(-row.m);
  rows.m[r] = row.m;
  rows.kl[r] = 0;
  if (r < rows.num_forget) {
    const double push = rows.scale_forgetting * (rows.method == 0 ? sigmoid(row.m) : complement);
    if (sink.dz) scaled_softmax(z, V, row.max, row.log_sum, -push, sink);
    return put_target(sink, y, push);
  }
  double dz = -rows.scale_replay * complement;
  if (!rows.original || original_row < 0) {
    if (sink.dz) scaled_softmax(z, V, row.max, row.log_all, rows.scale_replay, sink);
    return put_target(sink, y, dz);
  }
  float* z0 = rows.original + original_row * V;
  const Row original = measure(z0, V, y);
  const double d = softplus(-row.m) - softplus(-original.m);  // log p_ori - log p of the target
  rows.kl[r] = replay_rows(rows, z, z0, row, original, sink) + sigmoid(original.m) * (::expm1(-d) + d);
  dz += rows.scale_mitigation * (sigmoid(-original.m) - complement);  // p - p_ori of the target
  put_target(sink, y, dz);
}

}  // namespace

void unlearn_rows(const UnlearnRows& rows) {
  parallel_for(rows.count * rows.V > 16384, rows.count, [&](int64_t r) { one_row(rows, r); });
}

}  // namespace lethe::cpu::LETHE_ISA
