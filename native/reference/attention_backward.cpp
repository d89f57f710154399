// With P = softmax(scale q k^T) and delta = rowsum(dy y): dv = P^T dy, dS = P (dy v^T - delta), dq = scale dS k,
// dk = scale dS^T q. P is recomputed in fp64 rather than read off the fp32 lse.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "reference/operators.h"

namespace lethe::reference {
namespace {

struct Gradients {
  std::vector<double> dq, dk, dv;
};

// The gradients of query head h of token t, over its visible keys.
void one_query(const attention_backward_args& a, int64_t b, int64_t t, int64_t h, Gradients& g) {
  const int64_t first = a.first.i32()[b * a.T + t], last = a.last.i32()[b * a.T + t];
  const int64_t query = ((b * a.T + t) * a.H + h) * a.D, group = h / (a.H / a.K);
  std::vector<double> p, dp;
  double max = -std::numeric_limits<double>::infinity(), total = 0, delta = 0;
  for (int64_t s = first; s <= last; ++s) {
    const int64_t key = ((b * a.S + s) * a.K + group) * a.D;
    double score = 0, dot = 0;
    for (int64_t d = 0; d < a.D; ++d) {
      score += double{a.q.f32()[query + d]} * double{a.k.f32()[key + d]};
      dot += double{a.dy.f32()[query + d]} * double{a.v.f32()[key + d]};
    }
    p.push_back(score * a.scale);
    dp.push_back(dot);
    max = std::max(max, p.back());
  }
  for (double& x : p) total += x = std::exp(x - max);
  for (size_t i = 0; i < p.size(); ++i) delta += (p[i] /= total) * dp[i];
  for (int64_t s = first; s <= last; ++s) {
    const int64_t key = ((b * a.S + s) * a.K + group) * a.D;
    const double weight = p[static_cast<size_t>(s - first)];
    const double ds = weight * (dp[static_cast<size_t>(s - first)] - delta) * a.scale;
    for (int64_t d = 0; d < a.D; ++d) {
      g.dq[static_cast<size_t>(query + d)] += ds * double{a.k.f32()[key + d]};
      g.dk[static_cast<size_t>(key + d)] += ds * double{a.q.f32()[query + d]};
      g.dv[static_cast<size_t>(key + d)] += weight * double{a.dy.f32()[query + d]};
    }
  }
}

}  // namespace

void attention_backward(const attention_backward_args& a) {
  check_ranges("attention_backward", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  const auto queries = static_cast<size_t>(a.B * a.T * a.H * a.D), keys = static_cast<size_t>(a.B * a.S * a.K * a.D);
  Gradients g{std::vector<double>(queries), std::vector<double>(keys), std::vector<double>(keys)};
  for (int64_t b = 0; b < a.B; ++b)
    for (int64_t t = 0; t < a.T; ++t)
      for (int64_t h = 0; h < a.H; ++h) one_query(a, b, t, h, g);
  const auto narrow = [](double x) { return static_cast<float>(x); };
  std::transform(g.dq.begin(), g.dq.end(), a.dq.f32(), narrow);
  std::transform(g.dk.begin(), g.dk.end(), a.dk.f32(), narrow);
  std::transform(g.dv.begin(), g.dv.end(), a.dv.f32(), narrow);
}

}  // namespace lethe::reference
