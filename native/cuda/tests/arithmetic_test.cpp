// The arithmetic of the head's pass against the formulas in fp64 (docs/math.md, section 2).
#include "cuda/kernels/arithmetic.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace lethe::cuda {
namespace {

TEST(ExcessSeries, IsExpOfMinusDLessOnePlusD) {
  for (double d = -0.5; d <= 0.5; d += 1e-3) {
    const double truth = std::expm1(-d) + d;
    EXPECT_NEAR(excess_series(static_cast<float>(d)), truth, 3e-7 * truth + 1e-12) << d;
  }
  EXPECT_EQ(excess_series(0), 0);
}

TEST(SoftSum, AddsPartsAndNothing) {
  EXPECT_NEAR(relative_to(5, {3, 2}), 2 * std::exp(-2.0), 1e-15);
  EXPECT_EQ(relative_to(5, {5, 1}), 1);
  EXPECT_EQ(relative_to(5, {-INFINITY, 0}), 0);
  EXPECT_EQ(relative_to(-INFINITY, {-INFINITY, 0}), 0);
  EXPECT_TRUE(std::isnan(relative_to(NAN, {1, 1})));
}

TEST(Measure, GivesEveryFunctionOfTheMarginFromOneExponential) {
  for (const double m : {-800.0, -40.0, -1.0, 0.0, 1.0, 16.0, 40.0, 800.0}) {
    const RowMeasure row = measure({2, 1}, static_cast<float>(m + 2));
    ASSERT_EQ(row.m, m);
    EXPECT_DOUBLE_EQ(row.p, sigmoid(m));
    EXPECT_DOUBLE_EQ(row.complement, sigmoid(-m));
    EXPECT_DOUBLE_EQ(row.nll, softplus(-m));
    EXPECT_DOUBLE_EQ(row.log_all, softplus(m));
  }
}

TEST(Step, LeavesOutWhatNoModelHas) {
  const RowMeasure row = measure({0, 3}, 1);
  const PairedGradient gradient = paired_gradient(row, row, {1, 1, 1});
  float kl = 0;
  EXPECT_EQ(step(gradient, -INFINITY, -INFINITY, kl, [](float x) { return std::exp(x); }), 0);
  EXPECT_EQ(kl, 0);
  step(gradient, NAN, 1, kl, [](float x) { return std::exp(x); });
  EXPECT_TRUE(std::isnan(kl));
}

TEST(Measure, KeepsTheMarginOfCertainTargets) {
  for (const double m : {-20.0, -1.0, 0.0, 1.0, 16.0, 30.0}) {
    const RowMeasure row = measure({2, 1.5F}, static_cast<float>(m + 2 + std::log(1.5)));
    EXPECT_NEAR(row.m, m, 4e-6);
    const double p = 1 / (1 + std::exp(-row.m)), rest = 1 / (1 + std::exp(row.m));
    EXPECT_NEAR(forget_gradient(row, {1, 0, 0}, {ForgettingMethod::complement}).target, p, 1e-7);
    EXPECT_NEAR(forget_gradient(row, {1, 0, 0}, {ForgettingMethod::ascent}).target, rest, 1e-7);
    EXPECT_NEAR(forget_gradient(row, {1, 0, 0}, {ForgettingMethod::ascent, 5, 1}).target, std::pow(p, 5) * rest * rest,
                1e-7);
    EXPECT_NEAR(row.cost, std::log1p(std::exp(row.m)), 1e-6);
    EXPECT_NEAR(replay_gradient(row, {0, 1, 0}).target, -1 / (1 + std::exp(row.m)), 1e-7);
  }
}

// Over a whole row: the KL and dz of `paired_gradient` and `step`, in fp32, against fp64.
void expect_pair(double distance) {
  constexpr size_t V = 300, y = 7;
  std::vector<double> z(V), z0(V);
  for (size_t v = 0; v < V; ++v) {
    z[v] = 5 * std::sin(static_cast<double>(v) * 1.7) + 10;
    z0[v] = z[v] + distance * std::cos(static_cast<double>(v) * 0.9);
  }
  const auto soft = [](const std::vector<double>& logits) {
    const float top = static_cast<float>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (size_t v = 0; v < V; ++v)
      if (v != y) sum += relative_to(top, {static_cast<float>(logits[v]), 1});
    return measure({top, static_cast<float>(sum)}, static_cast<float>(logits[y]));
  };
  const auto log_sum = [](const std::vector<double>& logits) {
    double total = 0;
    for (const double x : logits) total += std::exp(x);
    return std::log(total);
  };
  const Scales scales{0, 0.5F, 2};
  const PairedGradient gradient = paired_gradient(soft(z), soft(z0), scales);
  const auto exponential = [](float x) { return std::exp(x); };
  float kl = 0;
  double truth_kl = 0, worst = 0, most = 0;
  for (size_t v = 0; v < V; ++v) {
    const double log_p = z[v] - log_sum(z), log_p0 = z0[v] - log_sum(z0), gap = std::exp(log_p) - std::exp(log_p0);
    truth_kl += std::exp(log_p0) * (log_p0 - log_p);
    const double truth = 0.5 * (std::exp(log_p) - (v == y)) + 2 * gap;
    const double dz =
        v == y ? gradient.target : step(gradient, static_cast<float>(z[v]), static_cast<float>(z0[v]), kl, exponential);
    worst = std::max(worst, std::fabs(dz - truth));
    most = std::max(most, std::fabs(truth));
  }
  EXPECT_LE(worst, 2e-5 * most) << distance;
  EXPECT_NEAR(kl + gradient.kl, truth_kl, 2e-3 * truth_kl + 1e-9) << distance;
}

TEST(Paired, HoldsFromEqualToFarModels) {
  for (const double distance : {0.0, 1e-3, 1e-2, 0.1, 1.0, 4.0}) expect_pair(distance);
}

TEST(Paired, GivesNothingToWhatIsNotThere) {
  const PairedGradient gradient = paired_gradient({0, 0, 0, 0.7}, {0, 0, 0, 0.7}, {0, 1, 1});
  float kl = 0;
  EXPECT_EQ(step(gradient, -INFINITY, -INFINITY, kl, [](float x) { return std::exp(x); }), 0);
  EXPECT_EQ(kl, 0);
}

TEST(GradientExponent, BringsTheLargestScaleBelowTwoToTheFifteenth) {
  for (const double scale : {1e-9, 1e-4, 0.01, 1.0, 3.0, 1e6}) {
    const double most = std::ldexp(3 * scale, gradient_exponent(scale, scale, 2 * scale));
    EXPECT_LE(most, 0x1p15);
    EXPECT_GT(most, 0x1p14 - 1);
  }
  EXPECT_EQ(gradient_exponent(0, 0, 0), 0);
  EXPECT_EQ(gradient_exponent(NAN, 0, 0), 0);
}

}  // namespace
}  // namespace lethe::cuda
