// The table of docs/math.md section 2: what the textbook formulas of -log(1 - p) do in fp32, and that ours does not.
// Logits are 0 but for the target's, z_y = m + log(V - 1), so that the margin is m.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/case.h"

namespace lethe::tests {
namespace {

constexpr int V = 32000;

struct Result {
  float loss, dz;  // dz: of the target's logit, scale 1
};

// Each takes the fp32 logit of the target and log p as a softmax gives it in fp32.
float log_p(float z) { return z - (z + std::log1p((V - 1) * std::exp(-z))); }

Result through_softmax(float z) {
  const float p = std::exp(log_p(z)), rest = 1 - p;
  return {-std::log(rest), p / rest * (1 - p)};
}
Result through_log1p(float z) {
  const float lp = log_p(z);
  return {-std::log1p(-std::exp(lp)), std::exp(lp) / -std::expm1(lp) * (1 - std::exp(lp))};
}
Result clamped(float z) {
  const float p = std::exp(log_p(z)), rest = 1 - p;
  return {-std::log(std::max(rest, 1e-5F)), rest < 1e-5F ? 0 : p};
}
Result with_epsilon(float z) {
  const float p = std::exp(log_p(z)), rest = 1 - p;
  return {-std::log(rest + 1e-8F), p * rest / (rest + 1e-8F)};
}

Result ours(float z, Device& device) {
  Floats weight(V);
  weight[5] = 1;
  Case test("unlearn_head");
  test.set("N", 1).set("D", 1).set("V", V).set("num_forget", 1).set("scale_forgetting", 1);
  test.give("hidden", Floats{z}).give("weight", weight).give("targets", Ints{5}).give("dweight", Floats(V));
  test.omit("original_hidden").omit("original_weight");
  const Outputs outputs = test.run(device);
  return {outputs.at("sums")[0], outputs.at("dhidden")[0]};  // dhidden = dz weight = dz of the target
}

bool is_accurate(Result result, double m) {
  const double loss = m > 0 ? m + std::log1p(std::exp(-m)) : std::log1p(std::exp(m)), p = 1 / (1 + std::exp(-m));
  return std::fabs(result.loss - loss) <= 2e-6 * loss && std::fabs(result.dz - p) <= 2e-6;
}

float logit(double m) { return static_cast<float>(m + std::log(V - 1.0)); }
double margin(float z) { return z - std::log(V - 1.0); }

TEST(ForgettingLoss, IsAccurateFromForgottenToMemorised) {
  for (double m = -20; m <= 30; m += 0.5) {
    const float z = logit(m);
    EXPECT_TRUE(is_accurate(ours(z, reference_device()), margin(z))) << m;
    EXPECT_TRUE(is_accurate(ours(z, cpu_device()), margin(z))) << m << ": " << ours(z, cpu_device()).loss;
  }
}

TEST(ForgettingLoss, TextbookFormulasWouldFail) {
  for (const double m : {17.0, 30.0}) {
    const float z = logit(m);
    EXPECT_FALSE(is_accurate(through_softmax(z), margin(z))) << m;
    EXPECT_FALSE(is_accurate(through_log1p(z), margin(z))) << m;
    EXPECT_FALSE(is_accurate(clamped(z), margin(z))) << m;
    EXPECT_FALSE(is_accurate(with_epsilon(z), margin(z))) << m;
  }
  const float z = logit(18);
  EXPECT_FALSE(std::isfinite(through_softmax(z).loss) && std::isfinite(through_softmax(z).dz));
  EXPECT_FALSE(std::isfinite(through_log1p(z).loss) && std::isfinite(through_log1p(z).dz));
  EXPECT_EQ(clamped(logit(16)).dz, 0) << "the most over-fitted tokens get no signal";
  EXPECT_LT(with_epsilon(logit(30)).loss, 18.5F) << "saturates";
}

}  // namespace
}  // namespace lethe::tests
