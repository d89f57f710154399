// Every instruction set gives the right answer, and the same threads give the same bits.
#include "cpu/runtime.h"

#include <gtest/gtest.h>

#include "tests/case.h"

namespace lethe::tests {
namespace {

std::vector<Case> cases() {
  Ints first(50), last(50), targets(50), positions(50);
  for (int i = 0; i < 50; ++i) last[static_cast<size_t>(i)] = i, targets[static_cast<size_t>(i)] = i * 3;
  const auto attention = [&](const char* op) {
    Case test = Case(op).set("B", 1).set("T", 50).set("S", 50).set("H", 4).set("K", 2).set("D", 40).set("scale", 0.2);
    return test.give("first", first).give("last", last);
  };
  const Outputs forward = attention("attention").run(reference_device());
  Case backward = attention("attention_backward");
  for (const char* name : {"q", "k", "v"}) backward.give(name, attention("attention").floats(name));
  backward.give("y", forward.at("y")).give("lse", forward.at("lse"));
  Case head = Case("unlearn_head").set("N", 50).set("M", 20).set("D", 24).set("V", 507).set("num_forget", 25);
  head.set("scale_forgetting", 0.01).set("scale_replay", 1).set("scale_mitigation", 1).give("targets", targets);
  return {attention("attention"),
          backward,
          head,
          Case("rms_norm").set("N", 50).set("D", 507).set("epsilon", 1e-5),
          Case("rms_norm_backward").set("N", 300).set("D", 70),
          Case("swiglu").set("N", 50).set("F", 507),
          Case("swiglu_backward").set("N", 50).set("F", 507),
          Case("rope").set("N", 50).set("H", 3).set("R", 20).set("P", 4).give("positions", positions),
          Case("adamw")
              .set("N", 1001)
              .set("lr", 1e-3)
              .set("beta1", 0.9)
              .set("beta2", 0.9)
              .set("epsilon", 1)
              .set("step", 2)
              .give("v", Floats(1001, 0.5F)),
          Case("unary").set("N", 1001).set("kind", 9),
          Case("reduce").set("O", 9).set("D", 100).set("I", 70),
          Case("linear").set("N", 60).set("I", 70).set("O", 80),
          Case("linear").set("N", 60).set("I", 70).set("O", 80).bf16(true)};
}

TEST(Runtime, AgreesOnEveryInstructionSet) {
  for (const char* limit : {"generic", "avx2", "avx512", ""}) {
    cpu::limit_simd(limit);
    SCOPED_TRACE(cpu::runtime().simd);
    Budget budget(4);
    budget.by_tensor = true;
    for (const Case& test : cases()) expect_within_budget(test, budget);
  }
  cpu::limit_simd("");
}

TEST(Runtime, RepeatsItselfBitForBit) {
  const int before = cpu::num_threads();
  for (const int threads : {1, 2}) {
    cpu::set_num_threads(threads);
    for (const Case& test : cases()) EXPECT_EQ(test.run(cpu_device()), test.run(cpu_device())) << test.text();
  }
  cpu::set_num_threads(before);
}

// The head's sums run in an order that the shapes decide: over three chunks of the vocabulary, on more threads than
// panels.
TEST(Runtime, TheHeadDoesNotDependOnTheThreads) {
  Ints targets;
  for (int n = 0; n < 70; ++n) targets.push_back(n % 7 == 3 ? -1 : n * 31);
  const int before = cpu::num_threads();
  for (const bool bf16 : {false, true}) {
    Case test("unlearn_head");
    test.set("N", 70).set("M", 30).set("D", 70).set("V", 2500).set("num_forget", 35).give("targets", targets);
    test.set("scale_forgetting", 0.01).set("scale_replay", 1).set("scale_mitigation", 1).bf16(bf16);
    cpu::set_num_threads(1);
    const Outputs alone = test.run(cpu_device());
    for (const int threads : {2, 5}) {
      cpu::set_num_threads(threads);
      EXPECT_EQ(test.run(cpu_device()), alone) << threads << " threads";
    }
  }
  cpu::set_num_threads(before);
}

}  // namespace
}  // namespace lethe::tests
