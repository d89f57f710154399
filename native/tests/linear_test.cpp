#include <gtest/gtest.h>

#include <array>

#include "tests/gradient.h"

namespace lethe::tests {
namespace {

Case sized(const std::string& op, double N, double I, double O, bool bf16) {
  return Case(op).set("N", N).set("I", I).set("O", O).set("bf16", bf16);
}

constexpr double sizes[][3] = {{1, 1, 1}, {1, 64, 33}, {3, 7, 5}, {41, 507, 8}, {256, 96, 160}, {0, 4, 4}, {4, 0, 3}};

TEST(Linear, StaysWithinTheErrorBudget) {
  for (const auto& s : sizes)
    for (const bool bf16 : {false, true}) {
      expect_within_budget(sized("linear", s[0], s[1], s[2], bf16));
      expect_within_budget(sized("linear", s[0], s[1], s[2], bf16).omit("bias"));
    }
}

TEST(LinearBackward, StaysWithinTheErrorBudget) {
  for (const auto& s : sizes)
    for (const bool bf16 : {false, true})
      for (const bool accumulate : {false, true}) {
        Case test = sized("linear_backward", s[0], s[1], s[2], bf16).set("accumulate_dx", accumulate);
        if (accumulate) test.give("dx", normal(test.elements("dx"), 5));
        expect_within_budget(test);
        expect_within_budget(Case(test).omit("dweight").omit("dbias"));
        expect_within_budget(Case(test).omit("dx"));
      }
}

TEST(LinearBackward, IsTheDerivative) {
  const Case forward = sized("linear", 3, 4, 5, false);
  Case backward = sized("linear_backward", 3, 4, 5, false);
  const Floats dy = backward.floats("dy");
  backward.give("x", forward.floats("x")).give("weight", forward.floats("weight"));
  backward.give("dweight", Floats(20)).give("dbias", Floats(5));
  const Outputs gradients = backward.run(cpu_device());
  expect_gradient(forward, "x", weighted_sum("y", dy), gradients.at("dx"));
  expect_gradient(forward, "weight", weighted_sum("y", dy), gradients.at("dweight"));
  expect_gradient(forward, "bias", weighted_sum("y", dy), gradients.at("dbias"));
}

TEST(Matmul, BroadcastsAndTransposes) {
  for (const bool transpose_a : {false, true})
    for (const bool transpose_b : {false, true})
      for (const auto& batch : {std::array{1, 1, 1}, std::array{6, 2, 6}, std::array{6, 3, 2}})
        expect_within_budget(Case("matmul")
                                 .set("P", batch[0])
                                 .set("A", batch[1])
                                 .set("B", batch[2])
                                 .set("M", 17)
                                 .set("N", 9)
                                 .set("K", 33)
                                 .set("transpose_a", transpose_a)
                                 .set("transpose_b", transpose_b));
}

}  // namespace
}  // namespace lethe::tests
