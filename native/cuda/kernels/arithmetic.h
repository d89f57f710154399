// The arithmetic of the head's pass that host and device share, and tests hold against fp64 (docs/math.md, section 2).
//   m = z_y - LSE_{v != y}(z), p = sigmoid(m); replay rows: dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori).
// Hazards: LSE over v != y is never derived from the LSE over all, which cancels as p -> 1; 1 - p is sigmoid(-m);
// exponents are (z - max) - offset, which loses nothing to a large common logit; KL and p - p_ori go through
// exp(-d) - 1 + d, d = log p_ori - log p, which has no cancelling terms and is exactly 0 when the models agree.
#pragma once
#include <cmath>
#include <cstdint>

#include "core/forgetting.h"

namespace lethe::cuda {

// exp(-d) - 1 + d, the Taylor series for |d| < 0.5.
LETHE_HD inline float excess_series(float d) {
  float s = -1.0F / 362880;
  s = s * d + 1.0F / 40320;
  s = s * d - 1.0F / 5040;
  s = s * d + 1.0F / 720;
  s = s * d - 1.0F / 120;
  s = s * d + 1.0F / 24;
  s = s * d - 1.0F / 6;
  s = s * d + 0.5F;
  return s * (d * d);
}

// sum of exp(z - max) over some logits, none of them the target. Nothing at all is {-inf, 0}.
struct SoftSum {
  float max, sum;
};

// What a maximum is subtracted as: 0 for no logits, so that exp(-inf - reference) is 0 and not NaN.
LETHE_HD inline float reference_of(float max) { return max == -INFINITY ? 0 : max; }

// A part of a sum that has its maximum somewhere else.
LETHE_HD inline double relative_to(float top, SoftSum part) {
  return part.sum * exp(static_cast<double>(part.max) - reference_of(top));
}

// One row's logits against its target. log_sum and log_all are log sums over v != y and over all v, less max;
// complement is 1 - p, nll is -log p, cost -log(1 - p).
struct RowMeasure {
  float max;
  double log_sum, m, log_all, p, complement, nll, cost;
};

// Everything of exp(-|m|), of which a row needs one, and one log1p: a thread waits long for each.
LETHE_HD inline RowMeasure measure(SoftSum others, float target) {
  const double log_sum = log(static_cast<double>(others.sum));
  const double m = static_cast<double>(target) - static_cast<double>(others.max) - log_sum;
  const double small = exp(-fabs(m)), log_rest = log1p(small), large = 1 / (1 + small);
  return {others.max,
          log_sum,
          m,
          log_sum + (m > 0 ? m : 0) + log_rest,
          m > 0 ? large : small * large,
          m > 0 ? small * large : large,
          (m < 0 ? -m : 0) + log_rest,
          (m > 0 ? m : 0) + log_rest};
}

struct Scales {
  float forgetting, replay, mitigation;
};

// dz of every logit but the target is factor exp((z - max) - offset); the target's is `target`.
struct PlainGradient {
  float max, offset, factor, target;
};

LETHE_HD inline PlainGradient forget_gradient(const RowMeasure& row, const Scales& scales, const Forgetting& method) {
  const double push = scales.forgetting * forgetting_weight(method, {row.p, row.complement, row.nll, row.cost});
  return {row.max, static_cast<float>(row.log_sum), static_cast<float>(-push), static_cast<float>(push)};
}

LETHE_HD inline PlainGradient replay_gradient(const RowMeasure& row, const Scales& scales) {
  return {row.max, static_cast<float>(row.log_all), scales.replay, static_cast<float>(-scales.replay * row.complement)};
}

// dz of a replay row with an original. The target's part of the KL is in `kl`; `step` gives the others'.
struct PairedGradient {
  float max, offset, max0, offset0;
  Scales scales;
  float target;
  double kl;
};

LETHE_HD inline PairedGradient paired_gradient(const RowMeasure& row, const RowMeasure& original,
                                               const Scales& scales) {
  const double d = row.nll - original.nll;  // log p_ori - log p of the target
  const double dz = -scales.replay * row.complement + scales.mitigation * (original.complement - row.complement);
  return {
      row.max,
      static_cast<float>(row.log_all),
      original.max,
      static_cast<float>(original.log_all),
      scales,
      static_cast<float>(dz),
      d < -0.5 ? row.p - original.p * (1 - d) : original.p * (expm1(-d) + d)};  // exp(-d) may be inf where p_ori is 0
}

// dz of one logit; adds its part of the KL. A logit of -inf in both models (the target, the end of the row) has none: d
// is NaN, p and p0 are 0.
template <class Exponential>
LETHE_HD float step(const PairedGradient& g, float z, float z0, float& kl, const Exponential& exponential) {
  const float log_p = (z - g.max) - g.offset, log_p0 = (z0 - g.max0) - g.offset0, d = log_p0 - log_p;
  const float p0 = exponential(log_p0);
  if (d < 0.5F && d > -0.5F) {
    const float series = p0 * excess_series(d), gap = series - p0 * d;
    kl += series;
    return g.scales.replay * (p0 + gap) + g.scales.mitigation * gap;
  }
  const float p = exponential(log_p), gap = p - p0;
  kl += p0 > 0 ? gap + p0 * d : gap;
  return g.scales.replay * p + g.scales.mitigation * gap;
}

// The power of two s by which dz is scaled so that the largest scale is in (2^14, 2^15], within fp16's range.
inline int gradient_exponent(double forgetting, double replay, double mitigation) {
  const double most = std::fmax(std::fabs(forgetting), std::fabs(replay) + std::fabs(mitigation));
  if (!(most > 0) || !std::isfinite(most)) return 0;
  const int exponent = 14 - std::ilogb(most);
  return exponent < -60 ? -60 : exponent > 60 ? 60 : exponent;
}

}  // namespace lethe::cuda
