#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/call.h"
#include "core/operator_table.h"
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

// The device keeps copies of weights (packed for few rows, in bf16) and of the latest input: it must notice that they
// changed or went.
class LinearOf : public testing::TestWithParam<int> {};

TEST_P(LinearOf, FollowsItsWeightsAndInput) {
  const auto N = static_cast<size_t>(GetParam());
  BufferStore store;
  size_t linear = 0;
  while (operators()[linear].name != std::string("linear")) ++linear;
  const auto buffer = [&](const Floats& values) {
    const uint64_t id = store.allocate(1, values.size() * 4);
    store.write(id, 0, values.data(), values.size() * 4);
    return id;
  };
  const uint64_t x = buffer(Floats(32 * N, 1)), y = buffer(Floats(32 * N));
  uint64_t weight = buffer(Floats(1024, 1));
  const auto first_output = [&](bool bf16) {
    const double numbers[] = {double(N), 32, 32, double(x), double(weight), 0, double(y), double(bf16)};
    call(cpu_device(), store, linear, numbers);
    float value = 0;
    store.read(y, 0, &value, 4);
    return value;
  };
  EXPECT_EQ(first_output(false), 32);
  const Floats twos(1024, 2), fine(1024, 1.001F);
  store.write(weight, 0, twos.data(), 4096);
  EXPECT_EQ(first_output(false), 64);
  store.write(weight, 0, fine.data(), 4096);
  EXPECT_NEAR(first_output(false), 32.032F, 1e-4);
  EXPECT_EQ(first_output(true), 32);  // 1.001 is 1 in bf16
  EXPECT_NEAR(first_output(false), 32.032F, 1e-4);
  store.release(weight);
  weight = buffer(twos);
  EXPECT_EQ(first_output(false), 64);
  store.empty_cache(1);
  EXPECT_EQ(first_output(false), 64);
  EXPECT_EQ(first_output(true), 64);
  const Floats input(32 * N, 3);
  store.write(x, 0, input.data(), input.size() * 4);
  EXPECT_EQ(first_output(true), 192);
}

INSTANTIATE_TEST_SUITE_P(FewAndManyRows, LinearOf, testing::Values(1, 100));

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
