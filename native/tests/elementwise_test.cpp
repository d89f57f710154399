// Norms, rotations, activations, the optimizer and the small operators, cpu against reference.
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "lethe/error.h"
#include "tests/gradient.h"

namespace lethe::tests {
namespace {

constexpr double rows_and_widths[][2] = {{1, 1}, {1, 64}, {3, 17}, {41, 507}, {256, 96}, {0, 5}};

// The norm reads the sum as it is stored: rounded, in bf16.
Budget norm_budget() {
  Budget budget(2);
  budget.eps_of["rstd"] = 0x1p-11;
  return budget;
}

TEST(RmsNorm, StaysWithinTheErrorBudget) {
  for (const auto& s : rows_and_widths) {
    const Case test = Case("rms_norm").set("N", s[0]).set("D", s[1]).set("epsilon", 1e-5);
    expect_within_budget_in_both(test, norm_budget());
    expect_within_budget_in_both(Case(test).omit("residual"), norm_budget());
    expect_within_budget_in_both(Case(test).omit("sum"), norm_budget());
    expect_within_budget_in_both(Case(test).omit("residual").omit("sum"), norm_budget());
  }
}

Case rms_norm_backward_of(const Case& forward) {
  const Outputs outputs = forward.run(reference_device());
  Case backward = Case("rms_norm_backward").set("N", forward.value("N")).set("D", forward.value("D"));
  return backward.give("x", outputs.at("sum"))
      .give("weight", forward.floats("weight"))
      .give("rstd", outputs.at("rstd"));
}

TEST(RmsNormBackward, StaysWithinTheErrorBudget) {
  for (const auto& s : rows_and_widths) {
    if (s[1] == 1) continue;  // dx is then a difference that cancels but for epsilon
    const Case test = rms_norm_backward_of(Case("rms_norm").set("N", s[0]).set("D", s[1]).set("epsilon", 1e-5));
    expect_within_budget_in_both(test, Budget(4));
    expect_within_budget_in_both(Case(test).omit("dsum").omit("dweight"), Budget(4));
  }
}

TEST(RmsNormBackward, IsTheDerivative) {
  const Case forward = Case("rms_norm").set("N", 3).set("D", 8).set("epsilon", 1e-5);
  Case backward = rms_norm_backward_of(forward).give("dweight", Floats(8));
  const Outputs gradients = backward.run(cpu_device());
  const auto objective = [y = weighted_sum("y", backward.floats("dy")),
                          sum = weighted_sum("sum", backward.floats("dsum"))](const Outputs& outputs) {
    return y(outputs) + sum(outputs);
  };
  expect_gradient(forward, "x", objective, gradients.at("dx"));
  expect_gradient(forward, "residual", objective, gradients.at("dx"));
  expect_gradient(forward, "weight", objective, gradients.at("dweight"));
}

TEST(Rope, TurnsAndTurnsBack) {
  for (const double R : {1.0, 7.0, 32.0}) {
    Case test = Case("rope").set("N", 5).set("H", 3).set("R", R).set("P", 9).give("positions", Ints{8, 0, 3, 3, 1});
    Floats cosines, sines;
    for (float angle = 0; cosines.size() < static_cast<size_t>(9 * R); angle += 0.1F)
      cosines.push_back(std::cos(angle)), sines.push_back(std::sin(angle));
    test.give("cos", cosines).give("sin", sines);
    expect_within_budget_in_both(test);
    expect_within_budget_in_both(Case(test).set("inverse", 1));
    const Floats x = test.floats("x"), turned = test.run(cpu_device()).at("y");
    const Floats back = Case(test).give("x", turned).set("inverse", 1).run(cpu_device()).at("y");
    for (size_t i = 0; i < x.size(); ++i) EXPECT_NEAR(back[i], x[i], 1e-6);
    EXPECT_THROW(Case(test).give("positions", Ints{9, 0, 0, 0, 0}).run(cpu_device()), Error);
  }
}

TEST(Swiglu, StaysWithinTheErrorBudget) {
  for (const auto& s : rows_and_widths) {
    Case forward = Case("swiglu").set("N", s[0]).set("F", s[1]),
         backward = Case("swiglu_backward").set("N", s[0]).set("F", s[1]);
    Floats gate = forward.floats("gate");
    for (size_t i = 0; i < gate.size(); i += 5) gate[i] *= 20;
    for (size_t i = 3; i < gate.size(); i += 50) gate[i] = i % 2 ? 200.0F : -200.0F;
    expect_within_budget_in_both(forward.give("gate", gate));
    expect_within_budget_in_both(backward.give("gate", gate));
  }
}

TEST(SwigluBackward, IsTheDerivative) {
  const Case forward = Case("swiglu").set("N", 3).set("F", 5);
  Case backward = Case("swiglu_backward").set("N", 3).set("F", 5);
  backward.give("gate", forward.floats("gate")).give("up", forward.floats("up"));
  const Outputs gradients = backward.run(cpu_device());
  for (const char* name : {"gate", "up"})
    expect_gradient(forward, name, weighted_sum("y", backward.floats("dy")), gradients.at(std::string("d") + name));
}

TEST(Embedding, GathersAndScatters) {
  const Ints ids = {4, 0, 4, 4, 2, 1, 4};
  for (const double D : {1.0, 3.0, 200.0}) {
    expect_within_budget_in_both(Case("embedding").set("N", 7).set("V", 5).set("D", D).give("ids", ids));
    expect_within_budget_in_both(Case("embedding_backward").set("N", 7).set("V", 5).set("D", D).give("ids", ids));
  }
  for (const int bad : {-1, 5})
    for (const char* op : {"embedding", "embedding_backward"})
      EXPECT_THROW(Case(op).set("N", 1).set("V", 5).set("D", 2).give("ids", Ints{bad}).run(cpu_device()), Error);
}

TEST(Adamw, StaysWithinTheErrorBudget) {
  for (const double N : {1.0, 17.0, 40000.0}) {
    Case test = Case("adamw").set("N", N).set("lr", 5e-5).set("beta1", 0.9).set("beta2", 0.95).set("epsilon", 1e-8);
    test.set("weight_decay", 0.1).set("grad_scale", 0.5);
    Floats v = test.floats("v");
    for (float& x : v) x = std::fabs(x);
    expect_within_budget(Case(test).set("step", 3).give("v", v));
    const auto count = static_cast<size_t>(N);
    expect_within_budget(Case(test).set("step", 1).give("v", Floats(count)).give("m", Floats(count)));
  }
}

TEST(Adamw, FollowsPyTorch) {
  // torch.optim.AdamW([0.5, -1.0], lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1), gradients [0.25, -2]: step 1
  // moves by lr against the gradient's sign, after decay by 1 - lr * weight_decay.
  Case test = Case("adamw").set("N", 2).set("lr", 0.1).set("beta1", 0.9).set("beta2", 0.99).set("epsilon", 1e-8);
  test.set("weight_decay", 0.1).set("grad_scale", 1).set("step", 1);
  test.give("param", Floats{0.5F, -1}).give("grad", Floats{0.25F, -2}).give("m", Floats(2)).give("v", Floats(2));
  const Floats moved = test.run(cpu_device()).at("param");
  EXPECT_NEAR(moved[0], 0.5 * 0.99 - 0.1, 1e-6);
  EXPECT_NEAR(moved[1], -0.99 + 0.1, 1e-6);
}

TEST(GlobalNorm, SumsSquares) {
  for (const double N : {0.0, 1.0, 7.0, 100000.0}) expect_within_budget(Case("global_norm").set("N", N));
  const Floats huge(3, 1e25F), bad = {1, NAN, 2};
  EXPECT_EQ(Case("global_norm").set("N", 3).give("x", huge).run(cpu_device()).at("sum_squares")[0], INFINITY);
  EXPECT_TRUE(std::isnan(Case("global_norm").set("N", 3).give("x", bad).run(cpu_device()).at("sum_squares")[0]));
}

TEST(Binary, Broadcasts) {
  struct Shape {
    double N, A, B, a_repeat, b_repeat;
  };
  for (const Shape& s : {Shape{100, 100, 100, 1, 1}, Shape{40000, 40000, 1, 1, 1}, Shape{40000, 1, 40000, 1, 1},
                         Shape{40000, 40000, 200, 1, 1}, Shape{600, 30, 20, 20, 1}, Shape{600, 600, 6, 1, 100},
                         Shape{600, 2, 3, 7, 11}, Shape{0, 0, 0, 1, 1}, Shape{5, 9, 9, 1, 1}})
    for (int kind = 0; kind <= 5; ++kind)
      expect_within_budget_in_both(Case("binary")
                                       .set("N", s.N)
                                       .set("A", s.A)
                                       .set("B", s.B)
                                       .set("a_repeat", s.a_repeat)
                                       .set("b_repeat", s.b_repeat)
                                       .set("kind", kind));
}

TEST(Unary, CoversItsKinds) {
  for (int kind = 0; kind <= 12; ++kind)
    for (const double N : {1.0, 15.0, 16.0, 1001.0, 40000.0}) {
      const Case test = Case("unary").set("N", N).set("kind", kind);
      Floats x = normal(static_cast<size_t>(N), 11);
      if (kind >= 3 && kind <= 6)
        for (float& v : x) v = std::fabs(v) + 0.01F;
      expect_within_budget(Case(test).give("x", x));
    }
}

TEST(Unary, KeepsTheEdges) {
  const Floats edges = {0.0F, -0.0F, INFINITY, -INFINITY, NAN, 88.5F, 89, -86, -88, -200, 200, 1e-30F, 3e38F, -3e38F};
  for (int kind = 0; kind <= 12; ++kind) {
    if (kind == 3 || kind == 4 || kind == 5) continue;
    const Case test = Case("unary").set("N", 14).set("kind", kind).give("x", edges);
    const Floats truth = test.run(reference_device()).at("y"), fast = test.run(cpu_device()).at("y");
    for (size_t i = 0; i < edges.size(); ++i) {
      if (truth[i] == fast[i] || (std::isnan(truth[i]) && std::isnan(fast[i]))) continue;
      EXPECT_NEAR(fast[i], truth[i], 1e-6 * std::fabs(truth[i]) + 1.2e-38) << kind << " of " << edges[i];
    }
  }
}

TEST(Reduce, StaysWithinTheErrorBudget) {
  for (int kind = 0; kind <= 2; ++kind)
    for (const auto& [O, D, I] : {std::array{1.0, 100000.0, 1.0}, std::array{7.0, 33.0, 1.0},
                                  std::array{5.0, 9.0, 130.0}, std::array{1.0, 1000.0, 3.0}, std::array{0.0, 4.0, 2.0}})
      expect_within_budget(Case("reduce").set("O", O).set("D", D).set("I", I).set("kind", kind));
  EXPECT_EQ(Case("reduce").set("O", 1).set("D", 0).set("I", 2).run(cpu_device()).at("y"), Floats({0, 0}));
}

TEST(Fill, FillsEverything) { expect_within_budget(Case("fill").set("N", 100001).set("value", 2.5)); }

TEST(CopyBlock, CopiesBlocksAndRefusesToLeave) {
  Case test = Case("copy_block").set("X", 30).set("Y", 40).set("rows", 3).set("cols", 4);
  test.set("x_offset", 5).set("x_stride", 7).set("y_offset", 2).set("y_stride", 10);
  expect_within_budget(test);
  expect_within_budget(Case(test).set("x_stride", -2));
  expect_within_budget(Case(test).set("rows", 0).set("x_offset", 1e9));
  const auto refused = [](const Case& bad) { EXPECT_THROW(bad.run(cpu_device()), Error) << bad.text(); };
  refused(Case(test).set("x_offset", 13));
  refused(Case(test).set("x_offset", -1));
  refused(Case(test).set("y_stride", 18));
  refused(Case(test).set("x_stride", -3));
  refused(Case(test).set("x_stride", 0x1p52));
  refused(Case(test).set("rows", 0x1p53).set("y_stride", 0x1p53));
  refused(Case(test).set("cols", -1));
}

}  // namespace
}  // namespace lethe::tests
