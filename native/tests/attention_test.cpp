#include <gtest/gtest.h>

#include <cmath>

#include "lethe/error.h"
#include "tests/gradient.h"

namespace lethe::tests {
namespace {

struct Shape {
  int B, T, S, H, K, D;
};

// Which keys a query sees: causal; documents of 13 tokens; a sliding window of 5; every third row nothing.
enum class Mask { causal, documents, window, holes };

void mask(const Shape& s, Mask kind, Ints& first, Ints& last) {
  for (int b = 0; b < s.B; ++b)
    for (int t = 0; t < s.T; ++t) {
      const int end = std::min(s.S - 1, t + s.S - s.T);  // queries are the last T of S positions
      const bool hole = kind == Mask::holes && t % 3 == 1;
      first.push_back(kind == Mask::documents ? end / 13 * 13
                      : kind == Mask::window  ? std::max(0, end - 4)
                      : hole                  ? 1
                                              : 0);
      last.push_back(hole ? 0 : end);
    }
}

Case attention(const std::string& op, const Shape& s, Mask kind, bool bf16) {
  Ints first, last;
  mask(s, kind, first, last);
  return Case(op)
      .set("B", s.B)
      .set("T", s.T)
      .set("S", s.S)
      .set("H", s.H)
      .set("K", s.K)
      .set("D", s.D)
      .set("scale", 1 / std::sqrt(s.D))
      .bf16(bf16)
      .give("first", first)
      .give("last", last);
}

Case backward_of(const Case& forward, const Shape& s, Mask kind, bool bf16) {
  Case backward = attention("attention_backward", s, kind, bf16);
  const Outputs outputs = forward.run(reference_device());
  for (const char* name : {"q", "k", "v"}) backward.give(name, forward.floats(name));
  return backward.give("y", outputs.at("y")).give("lse", outputs.at("lse"));
}

// In bf16, P and dS are rounded for the second products, and so are the results: 2^-7 of the row's largest element is
// allowed. lse has no such excuse.
Budget budget_of(bool bf16) {
  Budget budget;
  if (bf16)
    for (const char* name : {"y", "dq", "dk", "dv"}) budget.eps_of[name] = 0x1p-9;
  return budget;
}

// dS = P (dP - delta) cancels, to nothing for a query that sees one key: what is left is relative to all the gradients.
Budget cancelling(bool bf16 = false) {
  Budget budget = budget_of(bf16);
  budget.by_tensor = true;
  return budget;
}

constexpr Shape shapes[] = {
    {1, 1, 1, 1, 1, 4},       {2, 7, 7, 4, 2, 8},      {1, 70, 70, 3, 1, 20},
    {2, 41, 41, 2, 2, 64},    {1, 130, 200, 4, 2, 33}, {1, 1, 77, 8, 2, 16},
#ifndef LETHE_SMALL_SIZES
    {1, 530, 1100, 1, 1, 40}, {4, 70, 70, 8, 4, 16},
#endif
};
constexpr Mask masks[] = {Mask::causal, Mask::documents, Mask::window, Mask::holes};

TEST(Attention, StaysWithinTheErrorBudget) {
  for (const Shape& s : shapes)
    for (const Mask kind : masks)
      for (const bool bf16 : {false, true})
        expect_within_budget(attention("attention", s, kind, bf16), budget_of(bf16));
}

TEST(AttentionBackward, StaysWithinTheErrorBudget) {
  for (const Shape& s : shapes)
    for (const Mask kind : masks)
      for (const bool bf16 : {false, true})
        expect_within_budget(backward_of(attention("attention", s, kind, bf16), s, kind, bf16), cancelling(bf16));
}

TEST(Attention, BearsOutliers) {
  const Shape s{1, 70, 70, 2, 1, 32};
  Case test = attention("attention", s, Mask::causal, false);
  Floats q = test.floats("q");
  for (size_t i = 0; i < q.size(); i += 17) q[i] *= 20;
  expect_within_budget(Case(test).give("q", q));
  expect_within_budget(backward_of(test.give("q", q), s, Mask::causal, false), cancelling());
}

TEST(Attention, GivesNothingForEmptyRows) {
  const Shape s{1, 4, 4, 1, 1, 8};
  const Case test = attention("attention", s, Mask::holes, false);
  const Outputs outputs = test.run(cpu_device());
  EXPECT_EQ(outputs.at("lse")[1], -INFINITY);
  for (size_t d = 0; d < 8; ++d) EXPECT_EQ(outputs.at("y")[8 + d], 0);
  const Outputs gradients = backward_of(test, s, Mask::holes, false).run(cpu_device());
  for (size_t d = 0; d < 8; ++d) EXPECT_EQ(gradients.at("dq")[8 + d], 0);
}

TEST(AttentionBackward, IsTheDerivative) {
  const Shape s{1, 5, 6, 4, 2, 3};
  const Case forward = attention("attention", s, Mask::holes, false);
  const Case backward = backward_of(forward, s, Mask::holes, false);
  const Outputs gradients = backward.run(cpu_device());
  for (const char* name : {"q", "k", "v"})
    expect_gradient(forward, name, weighted_sum("y", backward.floats("dy")), gradients.at(std::string("d") + name));
}

TEST(Attention, RefusesRangesOutsideTheKeys) {
  const Shape s{1, 2, 2, 1, 1, 4};
  const Case test = attention("attention", s, Mask::causal, false);
  EXPECT_THROW(Case(test).give("last", Ints{0, 2}).run(cpu_device()), Error);
  EXPECT_THROW(Case(test).give("first", Ints{-1, 0}).run(cpu_device()), Error);
  EXPECT_THROW(Case(test).set("K", 0).omit("k").run(cpu_device()), Error);
}

}  // namespace
}  // namespace lethe::tests
