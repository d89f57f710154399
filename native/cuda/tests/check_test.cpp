// What scripts/gpu/verify runs on a GPU, here on fibers: the random calls, and a whole model's steps.
#include <gtest/gtest.h>

#include <cmath>

#include "cuda/check/calls.h"
#include "cuda/check/model.h"
#include "lethe/cuda.h"

namespace lethe {
Device& cuda_on_host();
}

namespace lethe::check {
namespace {

constexpr int device_index = 1;  // cpu_device() is cuda_on_host() here

// One warp per query and key takes a fiber minutes; ../../tests/attention_test.cpp has such calls in small.
bool is_slow(const RandomCall& call) {
  const bool is_attention =
      call.op.starts_with("attention") && (!call.bf16 || static_cast<int>(call.values.at("D")) % 8);
  return is_attention && call.values.at("T") * call.values.at("S") * call.values.at("H") > 5000;
}

class RandomCalls : public testing::TestWithParam<std::string> {};

TEST_P(RandomCalls, StayWithinTheErrorBudget) {
  for (const RandomCall& call : calls(true)) {
    if (call.op != GetParam() || is_slow(call)) continue;
    const Comparison comparison = compare(call, cuda_on_host(), device_index, 11);
    EXPECT_TRUE(comparison.holds) << comparison.failure;
  }
}

TEST(HalfLogits, StayWithinTheNorm) {
  lethe_cuda* device = nullptr;
  cuda_on_host();
  lethe_cuda_open(0, &device);
  lethe_cuda_set(device, "head_logits", "fp16");
  for (const RandomCall& call : half_logit_calls(true)) {
    const Comparison comparison = compare(call, cuda_on_host(), device_index, 11);
    EXPECT_TRUE(comparison.holds) << comparison.failure;
    EXPECT_GT(comparison.worst, 1e-3) << "fp16 logits cannot be this good: " << call.text();
  }
  lethe_cuda_set(device, "head_logits", "fp32");
}

INSTANTIATE_TEST_SUITE_P(Each, RandomCalls,
                         testing::Values("embedding", "embedding_backward", "rms_norm", "rms_norm_backward", "linear",
                                         "linear_backward", "rope", "attention", "attention_backward", "swiglu",
                                         "swiglu_backward", "unlearn_head", "adamw", "global_norm", "binary", "unary",
                                         "fill", "reduce", "matmul"),
                         [](const auto& info) { return info.param; });

void expect_equal_steps(bool bf16, double allowed) {
  const ModelShape shape{32, 48, 2, 1, 2, 40, 10};
  Model truth(reference_device(), 0, shape, 2, bf16, 7), fast(cuda_on_host(), device_index, shape, 2, bf16, 7);
  for (int i = 0; i < 3; ++i) {
    const StepLosses t = truth.step(1e-2), f = fast.step(1e-2);
    EXPECT_NEAR(f.forgetting, t.forgetting, allowed * (t.forgetting + 0.02)) << i;
    EXPECT_NEAR(f.replay, t.replay, allowed * t.replay) << i;
    EXPECT_NEAR(f.mitigation, t.mitigation, allowed * (t.mitigation + 0.02)) << i;
    EXPECT_NEAR(f.norm, t.norm, allowed * t.norm) << i;
  }
}

TEST(Steps, EqualTheReferencesInFp32) { expect_equal_steps(false, 1e-4); }
TEST(Steps, EqualTheReferencesInBf16) { expect_equal_steps(true, 3e-2); }

TEST(Steps, LearnWhatTheyReplay) {
  const ModelShape shape{32, 48, 2, 2, 1, 40, 10};
  Model model(reference_device(), 0, shape, 2, false, 7);
  const StepLosses first = model.step(1e-2);
  StepLosses last = first;
  for (int i = 0; i < 12; ++i) last = model.step(1e-2);
  EXPECT_EQ(first.mitigation, 0);
  EXPECT_GT(last.mitigation, 0);
  EXPECT_LT(last.replay + last.mitigation, first.replay);
}

}  // namespace
}  // namespace lethe::check
