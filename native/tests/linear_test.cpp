#include <gtest/gtest.h>

#include <array>
#include <string>

#include "core/bf16.h"
#include "core/call.h"
#include "core/operator_table.h"
#include "lethe/error.h"
#include "tests/gradient.h"

namespace lethe::tests {
namespace {

Case sized(const std::string& op, double N, double I, double O, bool bf16) {
  return Case(op).set("N", N).set("I", I).set("O", O).bf16(bf16);
}

constexpr double sizes[][3] = {{1, 1, 1},    {1, 64, 33},  {3, 7, 5},    {41, 507, 8}, {256, 96, 160},
                               {33, 63, 16}, {66, 16, 63}, {97, 63, 63}, {0, 4, 4},    {4, 0, 3}};

TEST(Linear, StaysWithinTheErrorBudget) {
  for (const auto& s : sizes)
    for (const bool bf16 : {false, true}) {
      expect_within_budget(sized("linear", s[0], s[1], s[2], bf16));
      expect_within_budget(sized("linear", s[0], s[1], s[2], bf16).omit("bias"));
    }
}

// The device keeps copies of weights, packed for few rows and in bf16: it must notice that they changed or went.
class LinearOf : public testing::TestWithParam<int> {};

TEST_P(LinearOf, FollowsItsWeights) {
  const auto N = static_cast<size_t>(GetParam());
  BufferStore store;
  size_t linear = 0;
  while (operators()[linear].name != std::string("linear")) ++linear;
  const auto buffer = [&](const Floats& values) {
    const uint64_t id = store.allocate(1, values.size() * 4);
    store.write(id, 0, values.data(), values.size() * 4);
    return id;
  };
  const auto bf16_buffer = [&] {
    const std::vector<uint16_t> ones(32 * N, to_bf16(1));
    const uint64_t id = store.allocate(1, ones.size() * 2, true);
    store.write(id, 0, ones.data(), ones.size() * 2);
    return id;
  };
  const uint64_t x = buffer(Floats(32 * N, 1)), y = buffer(Floats(32 * N)), x16 = bf16_buffer(), y16 = bf16_buffer();
  uint64_t weight = buffer(Floats(1024, 1));
  const auto run = [&](uint64_t from, uint64_t to) {
    const double numbers[] = {double(N), 32, 32, double(from), double(weight), 0, double(to)};
    call(cpu_device(), store, linear, numbers);
  };
  const auto first_output = [&] {
    run(x, y);
    float value = 0;
    store.read(y, 0, &value, 4);
    return value;
  };
  const auto first_in_bf16 = [&] {
    run(x16, y16);
    uint16_t value = 0;
    store.read(y16, 0, &value, 2);
    return from_bf16(value);
  };
  EXPECT_EQ(first_output(), 32);
  EXPECT_EQ(first_in_bf16(), 32);
  const Floats twos(1024, 2), fine(1024, 1.001F);
  store.write(weight, 0, twos.data(), 4096);
  EXPECT_EQ(first_output(), 64);
  EXPECT_EQ(first_in_bf16(), 64);
  store.write(weight, 0, fine.data(), 4096);
  EXPECT_NEAR(first_output(), 32.032F, 1e-4);
  EXPECT_EQ(first_in_bf16(), 32);  // 1.001 is 1 in bf16
  EXPECT_NEAR(first_output(), 32.032F, 1e-4);
  store.release(weight);
  weight = buffer(twos);
  EXPECT_EQ(first_output(), 64);
  store.empty_cache(1);
  EXPECT_EQ(first_output(), 64);
  EXPECT_EQ(first_in_bf16(), 64);
  run(x16, y);  // as logits are
  float logit = 0;
  store.read(y, 0, &logit, 4);
  EXPECT_EQ(logit, 64);
}

TEST(Linear, TakesWeightsInBf16) {
  BufferStore store;
  size_t linear = 0;
  while (operators()[linear].name != std::string("linear")) ++linear;
  for (const size_t N : {size_t{1}, size_t{100}}) {
    const std::vector<uint16_t> halves(1024, to_bf16(1.5F));
    const Floats ones(32 * N, 1);
    const uint64_t weight = store.allocate(1, 2048, true), x = store.allocate(1, 128 * N),
                   y = store.allocate(1, 128 * N);
    store.write(weight, 0, halves.data(), 2048);
    store.write(x, 0, ones.data(), 128 * N);
    const double numbers[] = {double(N), 32, 32, double(x), double(weight), 0, double(y)};
    call(cpu_device(), store, linear, numbers);
    float value = 0;
    store.read(y, 0, &value, 4);
    EXPECT_EQ(value, 48);
    EXPECT_THROW(call(reference_device(), store, linear, numbers), Error);
  }
}

TEST(Convert, RoundsAndWidens) {
  BufferStore store;
  size_t convert = 0;
  while (operators()[convert].name != std::string("convert")) ++convert;
  const Floats x = normal(1000, 7);
  const uint64_t from = store.allocate(1, 4000), halves = store.allocate(1, 2000, true), back = store.allocate(1, 4000);
  store.write(from, 0, x.data(), 4000);
  for (const auto& [in, out] : {std::pair(from, halves), std::pair(halves, back)}) {
    const double numbers[] = {1000, double(in), double(out)};
    call(cpu_device(), store, convert, numbers);
  }
  Floats y(1000);
  store.read(back, 0, y.data(), 4000);
  for (size_t i = 0; i < y.size(); ++i) EXPECT_EQ(y[i], round_to_bf16(x[i]));
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
