// The fused head and loss of the table, in fp64 with all logits in memory. See docs/math.md, sections 1 to 4.
// m = z_y - LSE_{v != y}(z); p = sigmoid(m). KL(p_ori || p) is the sum of p_ori (exp(-d) - 1 + d), d = log p_ori - log
// p: equal to the textbook sum because both distributions sum to 1, but with no negative terms to cancel.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/forgetting.h"
#include "reference/operators.h"

namespace lethe::reference {
namespace {

struct Row {
  std::vector<double> z;
  double lse_others = 0, m = 0, lse = 0;
};

Row logits(const float* hidden, const float* weight, int64_t D, int64_t V, int64_t y) {
  Row row{std::vector<double>(static_cast<size_t>(V))};
  double max = -std::numeric_limits<double>::infinity(), total = 0;
  for (int64_t v = 0; v < V; ++v) {
    double& z = row.z[static_cast<size_t>(v)];
    for (int64_t d = 0; d < D; ++d) z += double{hidden[d]} * weight[v * D + d];
    if (v != y) max = std::max(max, z);
  }
  for (int64_t v = 0; v < V; ++v)
    if (v != y) total += std::exp(row.z[static_cast<size_t>(v)] - max);
  row.lse_others = max + std::log(total);
  row.m = row.z[static_cast<size_t>(y)] - row.lse_others;
  row.lse = row.lse_others + softplus(row.m);
  return row;
}

// dz of a forget row, over the logits.
double forget(const unlearn_head_args& a, Row& row, int64_t y, double* sums) {
  const Forgetting method = forgetting_of(a);
  const ForgetRow target = forget_row(row.m);
  const double c = forgetting_weight(method, target);
  sums[0] += forgetting_loss(method, target);
  sums[3] += 1;
  sums[5] += target.p;
  sums[6] += c;
  for (double& z : row.z) z = -a.scale_forgetting * c * std::exp(z - row.lse_others);
  row.z[static_cast<size_t>(y)] = a.scale_forgetting * c;
  return 0;
}

// dz of a replay row, over the logits; returns the KL.
double replay(const unlearn_head_args& a, Row& row, const Row* original, int64_t y, double* sums) {
  double kl = 0;
  for (size_t v = 0; v < row.z.size(); ++v) {
    const double log_p = row.z[v] - row.lse,
                 complement = static_cast<int64_t>(v) == y ? sigmoid(-row.m) : -std::exp(log_p);
    row.z[v] = -a.scale_replay * complement;
    if (!original) continue;
    const double log_p0 = original->z[v] - original->lse, d = log_p0 - log_p;
    const double p0 = std::exp(log_p0), p = std::exp(log_p);
    kl += d < -0.5 ? p - p0 + p0 * d : p0 * (std::expm1(-d) + d);  // exp(-d) may be inf where p0 is 0
    row.z[v] += a.scale_mitigation * (p - p0);
  }
  sums[1] += softplus(-row.m);
  sums[2] += kl;
  sums[4] += 1;
  return kl;
}

void add_gradients(const unlearn_head_args& a, int64_t n, const std::vector<double>& dz, std::vector<double>& dweight) {
  const float* hidden = a.hidden.f32() + n * a.D;
  std::vector<double> dhidden(static_cast<size_t>(a.D));
  for (int64_t v = 0; v < a.V; ++v) {
    const double g = dz[static_cast<size_t>(v)];
    for (int64_t d = 0; d < a.D; ++d) {
      dhidden[static_cast<size_t>(d)] += g * double{a.weight.f32()[v * a.D + d]};
      if (a.dweight) dweight[static_cast<size_t>(v * a.D + d)] += g * hidden[d];
    }
  }
  if (a.dhidden)
    std::transform(dhidden.begin(), dhidden.end(), a.dhidden.f32() + n * a.D,
                   [](double x) { return static_cast<float>(x); });
}

}  // namespace

void unlearn_head(const unlearn_head_args& a) {
  check_ids("unlearn_head", "targets", a.targets.i32(), a.N, -1, a.V);
  double sums[8] = {};
  std::vector<double> dweight(a.dweight ? static_cast<size_t>(a.V * a.D) : 0);
  if (a.dhidden) std::fill_n(a.dhidden.f32(), a.N * a.D, 0.0F);
  for (int64_t n = 0; n < a.N; ++n) {
    const int64_t y = a.targets.i32()[n], original_row = n - (a.N - a.M);
    double nll = 0, p = 0, kl = 0;
    if (y >= 0) {
      Row row = logits(a.hidden.f32() + n * a.D, a.weight.f32(), a.D, a.V, y), original;
      nll = softplus(-row.m);
      p = sigmoid(row.m);
      const bool has_original = n >= a.num_forget && original_row >= 0;
      if (has_original)
        original = logits(a.original_hidden.f32() + original_row * a.D, a.original_weight.f32(), a.D, a.V, y);
      kl = n < a.num_forget ? forget(a, row, y, sums) : replay(a, row, has_original ? &original : nullptr, y, sums);
      if (a.dhidden || a.dweight) add_gradients(a, n, row.z, dweight);
    }
    if (a.nll) a.nll.f32()[n] = static_cast<float>(nll);
    if (a.p) a.p.f32()[n] = static_cast<float>(p);
    if (a.kl) a.kl.f32()[n] = static_cast<float>(kl);
  }
  for (size_t i = 0; i < dweight.size(); ++i) a.dweight.f32()[i] = static_cast<float>(a.dweight.f32()[i] + dweight[i]);
  std::transform(sums, sums + 8, a.sums.f32(), [](double x) { return static_cast<float>(x); });
}

}  // namespace lethe::reference
