// The family of forgetting losses (docs/math.md, section 3): a row's loss, and the weight c(p) of its gradient
// c(p) (e_y - q). For host and device, with internal linkage (see logistic.h).
//   complement   -log(1-p)                                          c = p
//   ascent       s log p, s = p^beta1 (1-p)^beta2 held fixed        c = s (1-p)          ga, wga, satimp
//   probability  p                                                  c = p (1-p)          min-prob
//   clamped      -log max(1-p, 1e-5)                                c = p, 0 at the clamp
// Hazard: p and 1-p are given apart, with their logarithms, because neither follows from the other near 1.
#pragma once
#include <math.h>
#include <stdint.h>

#include "core/logistic.h"

namespace lethe {

enum class ForgettingMethod : int32_t { complement, ascent, probability, clamped };

// Values of an operator's arguments: `method` of ops.h, and the exponents of ascent.
struct Forgetting {
  ForgettingMethod method = ForgettingMethod::complement;
  double beta1 = 0, beta2 = 0;
};

template <class Args>
inline Forgetting forgetting_of(const Args& a) {
  return {static_cast<ForgettingMethod>(a.method), a.beta1, a.beta2};
}

// p and 1 - p of a row's target; nll = -log p, cost = -log(1-p).
struct ForgetRow {
  double p, rest, nll, cost;
};

LETHE_HD static inline ForgetRow forget_row(double m) { return {sigmoid(m), sigmoid(-m), softplus(-m), softplus(m)}; }

inline constexpr double least_rest = 1e-5;  // of the clamped loss

LETHE_HD static inline double ascent_weight(const Forgetting& f, const ForgetRow& row) {
  const double exponent = (f.beta1 > 0 ? f.beta1 * row.nll : 0) + (f.beta2 > 0 ? f.beta2 * row.cost : 0);
  return ::exp(-exponent);
}

LETHE_HD static inline double forgetting_weight(const Forgetting& f, const ForgetRow& row) {
  switch (f.method) {
    case ForgettingMethod::ascent:
      return ascent_weight(f, row) * row.rest;
    case ForgettingMethod::probability:
      return row.p * row.rest;
    case ForgettingMethod::clamped:
      return row.rest > least_rest ? row.p : 0;
    default:
      return row.p;
  }
}

LETHE_HD static inline double forgetting_loss(const Forgetting& f, const ForgetRow& row) {
  switch (f.method) {
    case ForgettingMethod::ascent:
      return -ascent_weight(f, row) * row.nll;
    case ForgettingMethod::probability:
      return row.p;
    case ForgettingMethod::clamped:
      return row.rest > least_rest ? row.cost : -::log(least_rest);
    default:
      return row.cost;
  }
}

}  // namespace lethe
