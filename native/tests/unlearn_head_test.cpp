// The fused head against the reference, on the hard inputs of docs/math.md section 5.4.
#include <gtest/gtest.h>

#include <cmath>

#include "lethe/error.h"
#include "tests/gradient.h"

namespace lethe::tests {
namespace {

enum class Logits { ordinary, outliers, confident, hopeless };

struct Size {
  int N, V, D;
};

#ifdef LETHE_SMALL_SIZES
constexpr Size sizes[] = {{1, 2, 4}, {41, 7, 8}, {41, 8, 8}, {256, 507, 8}};
#else
constexpr Size sizes[] = {{1, 2, 4},      {41, 2, 8},      {256, 2, 8},     {1, 7, 8},    {41, 7, 8},    {256, 7, 8},
                          {1, 8, 8},      {41, 8, 16},     {256, 8, 16},    {1, 507, 16}, {41, 507, 32}, {256, 507, 16},
                          {1, 32000, 16}, {41, 32000, 16}, {256, 32000, 8}, {7, 64000, 8}};
#endif

// complement, ga, wga, satimp, min-prob, unlikelihood-clamped (docs/math.md, section 3)
struct Method {
  int method;
  double beta1, beta2;
};
constexpr Method methods[] = {{0, 0, 0}, {1, 0, 0}, {1, 1, 0}, {1, 5, 1}, {2, 0, 0}, {3, 0, 0}};

Case sized(int N, int V, int D) {
  const int forget = N / 2, M = N / 3;  // forget rows, replay rows without an original, replay rows with one
  Ints targets;
  for (int n = 0; n < N; ++n) targets.push_back(n % 7 == 3 ? -1 : (n * 131 + 1) % V);
  Case test("unlearn_head");
  test.set("N", N).set("M", M).set("D", D).set("V", V).set("num_forget", forget).give("targets", targets);
  test.set("scale_forgetting", 0.01).set("scale_replay", 1).set("scale_mitigation", 1);
  return test;
}

Case with_method(Case test, const Method& m) {
  return test.set("method", m.method).set("beta1", m.beta1).set("beta2", m.beta2);
}

// Hidden states whose logits at the target are moved by `shift` (p -> 1 or 0), or hidden states with x20 outliers.
Case with_logits(Case test, Logits kind) {
  const auto D = static_cast<size_t>(test.value("D")), N = static_cast<size_t>(test.value("N"));
  Floats hidden = test.floats("hidden"), weight = test.floats("weight");
  for (float& w : weight) w /= std::sqrt(static_cast<float>(D));
  if (kind == Logits::outliers)
    for (size_t i = 0; i < hidden.size(); i += 7) hidden[i] *= 20;
  // Target 1 + 131 n is what `sized` gives row n: push its weight along (or against) one row's hidden state.
  if (kind == Logits::confident || kind == Logits::hopeless)
    for (size_t n = 0; n < N; ++n) {
      const auto y = (n * 131 + 1) % static_cast<size_t>(test.value("V"));
      for (size_t d = 0; d < D; ++d)
        hidden[n * D + d] = weight[y * D + d] * (kind == Logits::confident ? 40.0F : -40.0F);
    }
  return test.give("hidden", hidden).give("weight", weight);
}

Budget budget_of(Logits logits, bool bf16) {
  // Hard logits are as large as 100: half a unit in the last place of one is 32 eps of p.
  Budget budget(logits == Logits::ordinary ? 1 : 8);
  // dz is rounded to bf16 for the products; KL is of differences kept in 11 bits.
  if (bf16) budget.eps_of = {{"dhidden", 0x1p-8}, {"dweight", 0x1p-8}, {"kl", 0x1p-13}, {"sums", 0x1p-13}};
  return budget;
}

class UnlearnHead : public testing::TestWithParam<std::tuple<Size, Logits, bool>> {};

TEST_P(UnlearnHead, StaysWithinTheErrorBudget) {
  const auto [size, logits, bf16] = GetParam();
  for (const auto& [method, beta1, beta2] : methods) {
    if (size.V > 507 && (method > 1 || beta1 > 0)) continue;  // the same pass over the logits
    const Case test = with_logits(sized(size.N, size.V, size.D), logits).bf16(bf16);
    expect_within_budget(with_method(test, {method, beta1, beta2}), budget_of(logits, bf16));
  }
}

std::string case_name(const testing::TestParamInfo<UnlearnHead::ParamType>& test) {
  static const char* names[] = {"Ordinary", "Outliers", "Confident", "Hopeless"};
  const auto& [size, logits, bf16] = test.param;
  return names[static_cast<int>(logits)] + std::string("N") + std::to_string(size.N) + "V" + std::to_string(size.V) +
         (bf16 ? "Bf16" : "");
}

INSTANTIATE_TEST_SUITE_P(HardInputs, UnlearnHead,
                         testing::Combine(testing::ValuesIn(sizes),
                                          testing::Values(Logits::ordinary, Logits::outliers, Logits::confident,
                                                          Logits::hopeless),
                                          testing::Bool()),
                         case_name);

TEST(UnlearnHeadAlone, LeavesIgnoredRowsOut) {
  Case test = sized(41, 507, 16);
  test.give("targets", Ints(41, -1));
  const Outputs outputs = test.run(cpu_device());
  for (const float sum : outputs.at("sums")) EXPECT_EQ(sum, 0);
  for (const float g : outputs.at("dhidden")) EXPECT_EQ(g, 0);
  EXPECT_EQ(outputs.at("dweight"), test.floats("dweight"));
  for (const char* name : {"nll", "p", "kl"})
    for (const float x : outputs.at(name)) EXPECT_EQ(x, 0);
}

TEST(UnlearnHeadAlone, BearsOneStreamAlone) {
  for (const int forget : {0, 41}) {
    const Case test = sized(41, 507, 16).set("num_forget", forget);
    expect_within_budget(test);
    const Floats sums = test.run(cpu_device()).at("sums");
    EXPECT_EQ(sums[forget ? 4 : 3], 0);
    EXPECT_EQ(sums[forget ? 1 : 0], 0);
  }
  expect_within_budget(sized(41, 507, 16).set("M", 0).omit("original_hidden").omit("original_weight"));
  expect_within_budget(sized(0, 507, 16));
}

TEST(UnlearnHeadAlone, ScoresWithoutGradients) {
  const Case test = sized(41, 507, 16);
  const Outputs whole = test.run(cpu_device()), scores = Case(test).omit("dhidden").omit("dweight").run(cpu_device());
  for (const char* name : {"sums", "nll", "p", "kl"}) EXPECT_EQ(whole.at(name), scores.at(name)) << name;
  expect_within_budget(Case(test).omit("dweight"));
  expect_within_budget(Case(test).omit("dhidden").omit("nll").omit("p").omit("kl"));
}

TEST(UnlearnHeadAlone, HasNoDivergenceFromItself) {
  Case test = sized(41, 507, 16).set("M", 41).set("num_forget", 0);
  test.give("original_hidden", test.floats("hidden")).give("original_weight", test.floats("weight"));
  const Outputs outputs = test.run(cpu_device());
  for (const float kl : outputs.at("kl")) {
    EXPECT_GE(kl, 0);
    EXPECT_LE(kl, 1e-9);
  }
  // One row whose student and original chunks differ in shape.
  Case part = sized(41, 507, 16).set("num_forget", 30).set("M", 5);
  Floats tail = part.floats("hidden");
  tail.erase(tail.begin(), tail.end() - 5 * 16);
  part.give("original_hidden", tail).give("original_weight", part.floats("weight"));
  const Floats divergences = part.run(cpu_device()).at("kl");
  for (const float kl : divergences) EXPECT_LE(std::fabs(kl), 1e-9);
}

// Replay rows whose only pull is towards an original that has these hidden states.
Case mitigated(bool bf16, const Floats& original_hidden) {
  Case test = sized(41, 507, 16).set("M", 41).set("num_forget", 0).set("scale_replay", 0);
  test.give("original_hidden", original_hidden).give("original_weight", test.floats("weight"));
  return test.bf16(bf16);
}

TEST(UnlearnHeadAlone, MeasuresSmallDivergences) {
  for (const bool bf16 : {false, true}) {
    Floats moved = sized(41, 507, 16).bf16(bf16).floats("hidden");
    const Floats noise = normal(moved.size(), 3, 1e-2F);
    for (size_t i = 0; i < moved.size(); ++i) moved[i] += noise[i];
    const Case test = mitigated(bf16, moved);
    const Outputs truth = test.run(reference_device()), fast = test.run(cpu_device());
    for (size_t n = 0; n < 41; ++n) {
      EXPECT_GE(fast.at("kl")[n], 0);
      EXPECT_NEAR(fast.at("kl")[n], truth.at("kl")[n], 1e-3 * truth.at("kl")[n] + 1e-12) << n;
    }
    expect_within_budget(test, budget_of(Logits::ordinary, bf16));
  }
}

TEST(UnlearnHeadAlone, BearsAnOriginalThatDisagrees) {
  for (const bool bf16 : {false, true})
    for (const float factor : {-30.0F, 0.0F, 100.0F}) {
      Floats other = sized(41, 507, 16).floats("hidden");
      for (float& x : other) x *= factor;
      const Case test = mitigated(bf16, other);
      const Outputs outputs = test.run(cpu_device());
      for (const float kl : outputs.at("kl")) EXPECT_TRUE(std::isfinite(kl));
      expect_within_budget(test, budget_of(Logits::outliers, bf16));
    }
}

TEST(UnlearnHeadAlone, IgnoresAConstantAddedToTheLogits) {
  Case test = sized(41, 507, 16);
  // One more hidden unit, at 1, whose weight is the same for every token.
  const auto widen = [](const Floats& rows, size_t D, float last) {
    Floats wide;
    for (size_t i = 0; i < rows.size(); ++i) {
      wide.push_back(rows[i]);
      if (i % D == D - 1) wide.push_back(last);
    }
    return wide;
  };
  Floats plain, moved;
  for (const float constant : {0.0F, 64.0F}) {
    Case wide = sized(41, 507, 17);
    wide.give("hidden", widen(test.floats("hidden"), 16, 1)).give("weight", widen(test.floats("weight"), 16, constant));
    wide.give("original_hidden", widen(test.floats("original_hidden"), 16, 1));
    wide.give("original_weight", widen(test.floats("original_weight"), 16, 0));
    const Outputs outputs = wide.run(cpu_device());
    (constant == 0 ? plain : moved) = outputs.at("nll");
    for (const float kl : outputs.at("kl")) EXPECT_GE(kl, 0);
  }
  for (size_t n = 0; n < plain.size(); ++n) EXPECT_NEAR(plain[n], moved[n], 64 * 1.2e-7 * 4) << n;
}

TEST(UnlearnHeadAlone, IsTheDerivativeOfItsSums) {
  for (const int method : {0, 1, 2, 3}) {
    Case test = sized(7, 7, 4).set("method", method).set("num_forget", 3).set("M", 2);
    test.set("scale_forgetting", 0.7).set("scale_replay", 0.9).set("scale_mitigation", 1.3);
    test.give("dweight", Floats(28)).give("targets", Ints{1, 4, 2, 0, -1, 6, 3});
    const Outputs gradients = test.run(cpu_device());
    const auto objective = [](const Outputs& outputs) {
      const Floats& sums = outputs.at("sums");
      return 0.7 * sums[0] + 0.9 * sums[1] + 1.3 * sums[2];
    };
    expect_gradient(test, "hidden", objective, gradients.at("dhidden"));
    expect_gradient(test, "weight", objective, gradients.at("dweight"));
  }
}

// The weights s = p^beta1 (1-p)^beta2 of ascent scale its gradient and are not differentiated.
TEST(UnlearnHeadAlone, HoldsTheWeightsOfAscentFixed) {
  const Case test = sized(1, 7, 4).set("num_forget", 1).set("M", 0);
  for (const auto& [beta1, beta2] : {std::pair(1.0, 0.0), std::pair(5.0, 1.0), std::pair(0.0, 2.0)}) {
    const Outputs plain = with_method(test, {1, 0, 0}).run(cpu_device());
    const Outputs weighted = with_method(test, {1, beta1, beta2}).run(cpu_device());
    const double p = plain.at("p")[0], s = std::pow(p, beta1) * std::pow(1 - p, beta2);
    EXPECT_NEAR(weighted.at("sums")[0], s * std::log(p), 1e-6);
    EXPECT_NEAR(weighted.at("sums")[6], s * (1 - p), 1e-6);
    for (size_t d = 0; d < 4; ++d)
      EXPECT_NEAR(weighted.at("dhidden")[d], s * static_cast<double>(plain.at("dhidden")[d]), 1e-8) << d;
  }
}

TEST(UnlearnHeadAlone, GivesNoGradientAtTheClamp) {
  Case test = with_logits(sized(2, 7, 8), Logits::confident).set("num_forget", 2).set("M", 0);
  const Outputs outputs = test.set("method", 3).run(cpu_device());
  EXPECT_NEAR(outputs.at("sums")[0], -2 * std::log(1e-5), 1e-4);
  EXPECT_EQ(outputs.at("sums")[6], 0);
  for (const float d : outputs.at("dhidden")) EXPECT_EQ(d, 0);
}

TEST(UnlearnHeadAlone, CountsEachStream) {
  const Floats sums = sized(41, 507, 16).run(cpu_device()).at("sums");
  EXPECT_EQ(sums[3], 17);  // of 20 forget rows, 3, 10 and 17 are ignored
  EXPECT_EQ(sums[4], 18);  // of 21 replay rows, 24, 31 and 38 are ignored
  EXPECT_EQ(sums[7], 0);
}

TEST(UnlearnHeadAlone, RefusesWhatItCannotDo) {
  const auto refused = [](Case test) { EXPECT_THROW(test.run(cpu_device()), Error) << test.text(); };
  refused(sized(4, 1, 4).give("targets", Ints(4, 0)));
  refused(sized(4, 7, 4).give("targets", Ints{0, 1, 7, 2}));
  refused(sized(4, 7, 4).give("targets", Ints{0, 1, -2, 2}));
  refused(sized(4, 7, 4).set("num_forget", 5));
  refused(sized(4, 7, 4).set("method", 4));
  refused(sized(4, 7, 4).set("method", 1).set("beta1", -1));
  refused(sized(4, 7, 4).set("method", 1).set("beta2", std::nan("")));
  refused(sized(4, 7, 4).set("M", 5));
  refused(sized(4, 7, 4).omit("original_weight"));
  refused(sized(4, 7, 4).omit("original_hidden").omit("original_weight"));
}

}  // namespace
}  // namespace lethe::tests
