// The head's modes beside the one that ../../tests/unlearn_head_test.cpp holds: fp16 logits, rows over clusters of
// blocks, rows that are streamed, chunks.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "fibers.h"
#include "lethe/cuda.h"
#include "tests/case.h"

namespace lethe {
Device& cuda_on_host();
}

namespace lethe::tests {
namespace {

// A setting of the device for the time of a test.
class Setting {
 public:
  Setting(const char* name, const char* value, const char* after) : name_(name), after_(after) {
    cuda_on_host();
    lethe_cuda_open(0, &device_);
    EXPECT_EQ(lethe_cuda_set(device_, name, value), 0) << lethe_cuda_error();
  }
  ~Setting() { lethe_cuda_set(device_, name_, after_); }

 private:
  lethe_cuda* device_ = nullptr;
  const char *name_, *after_;
};

Case head(int N, int V, int D) {
  Ints targets;
  for (int n = 0; n < N; ++n) targets.push_back(n % 7 == 3 ? -1 : (n * 131 + 1) % V);
  Case test("unlearn_head");
  test.set("N", N).set("M", N / 2).set("D", D).set("V", V).set("num_forget", N / 3).give("targets", targets);
  Floats weight = test.floats("weight");
  for (float& w : weight) w /= std::sqrt(static_cast<float>(D));
  test.give("weight", weight).give("original_weight", weight);
  return test.set("scale_forgetting", 0.01).set("scale_replay", 0.5).set("scale_mitigation", 0.5).bf16(true);
}

double relative_difference(const Floats& x, const Floats& truth) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    difference += (double{x[i]} - truth[i]) * (double{x[i]} - truth[i]);
    size += double{truth[i]} * truth[i];
  }
  return size > 0 ? std::sqrt(difference / size) : std::sqrt(difference);
}

void expect_close(const Outputs& fast, const Outputs& truth, double allowed) {
  for (const auto& [name, values] : truth) EXPECT_LE(relative_difference(fast.at(name), values), allowed) << name;
}

// The original is the model a little moved: the divergence is about 1e-3, where unlearning begins.
Case small_divergence() {
  Case test = head(24, 507, 40).set("scale_replay", 0).set("num_forget", 0).set("M", 24);
  Floats moved = test.floats("hidden");
  const Floats noise = normal(moved.size(), 5, 0.045F);
  for (size_t i = 0; i < moved.size(); ++i) moved[i] += noise[i];
  return test.give("original_hidden", moved).give("dweight", Floats(test.elements("dweight")));
}

struct Method {
  int method;
  double beta1, beta2;
};

TEST(HalfLogits, StayCloseToTheReference) {
  const Setting half("head_logits", "fp16", "fp32");
  for (const auto& [method, beta1, beta2] : {Method{0, 0, 0}, {1, 0, 0}, {1, 5, 1}, {2, 0, 0}, {3, 0, 0}}) {
    Case test = head(41, 507, 40);
    test.set("method", method).set("beta1", beta1).set("beta2", beta2);
    expect_close(test.run(cuda_on_host()), test.run(reference_device()), 4e-3);
  }
  const Case odd = head(9, 7, 5);
  expect_close(odd.run(cuda_on_host()), odd.run(reference_device()), 4e-3);
}

TEST(HalfLogits, KeepSmallDivergences) {
  const Case test = small_divergence();
  const Outputs truth = test.run(reference_device());
  double kl = 0;
  for (const float x : truth.at("kl")) kl += x / 21;  // 3 of 24 rows are ignored
  EXPECT_NEAR(kl, 1e-3, 5e-4);
  const Setting half("head_logits", "fp16", "fp32");
  const Outputs fast = test.run(cuda_on_host());
  EXPECT_LE(relative_difference(fast.at("dhidden"), truth.at("dhidden")), 0.05);
  EXPECT_LE(relative_difference(fast.at("dweight"), truth.at("dweight")), 0.05);
  EXPECT_LE(relative_difference(fast.at("kl"), truth.at("kl")), 0.05);
}

TEST(HalfLogits, CarryACommonConstantAway) {
  // One more hidden unit at 1 whose weight is the same for every token: fp16 logits of 300 would have steps of 1/4.
  Case test = small_divergence(), moved = head(24, 507, 41).set("scale_replay", 0).set("num_forget", 0).set("M", 24);
  const auto widen = [](const Floats& rows, float last) {
    Floats wide;
    for (size_t i = 0; i < rows.size(); ++i) {
      wide.push_back(rows[i]);
      if (i % 40 == 39) wide.push_back(last);
    }
    return wide;
  };
  moved.give("hidden", widen(test.floats("hidden"), 1)).give("weight", widen(test.floats("weight"), 300));
  moved.give("original_hidden", widen(test.floats("original_hidden"), 1));
  moved.give("original_weight", widen(test.floats("original_weight"), 300));
  const Setting half("head_logits", "fp16", "fp32");
  const Outputs plain = test.run(cuda_on_host()), shifted = moved.run(cuda_on_host());
  EXPECT_LE(relative_difference(shifted.at("kl"), plain.at("kl")), 0.05);
}

TEST(HalfLogits, AreExactlyEqualForEqualModels) {
  const Setting half("head_logits", "fp16", "fp32");
  Case test = small_divergence();
  test.give("original_hidden", test.floats("hidden"));
  const Outputs outputs = test.run(cuda_on_host());
  for (const float kl : outputs.at("kl")) EXPECT_LE(std::fabs(kl), 1e-9);
  for (const float g : outputs.at("dhidden")) EXPECT_EQ(g, 0);
}

TEST(RowPass, DependsLittleOnHowManyBlocksTakeARow) {
  for (const char* logits : {"fp16", "fp32"}) {
    const Setting mode("head_logits", logits, "fp32");
    const Case test = head(20, 507, 16);
    const Outputs one = test.run(cuda_on_host());
    for (const char* blocks : {"2", "4", "8"}) {
      const Setting cluster("row_cluster", blocks, "0");
      expect_close(test.run(cuda_on_host()), one, 1e-6);
    }
    const Setting streamed("rows", "streamed", "held");
    expect_close(test.run(cuda_on_host()), one, 1e-6);
  }
}

TEST(RowPass, SpreadsALongRowOverACluster) {
  const Case test = head(3, 20011, 8);  // two blocks of 16384
  expect_close(test.run(cuda_on_host()), test.run(reference_device()), 4e-3);
}

TEST(Chunks, AddUpToTheWhole) {
  const Case test = head(300, 50, 8);
  const Outputs whole = test.run(cuda_on_host());
  const Setting chunks("head_bytes", "1000", "1610612736");  // the smallest chunk, 128 rows
  expect_close(test.run(cuda_on_host()), whole, 1e-6);
}

TEST(Threads, MayRunInAnyOrder) {
  for (const char* logits : {"fp16", "fp32"}) {
    const Setting mode("head_logits", logits, "fp32");
    const Setting cluster("row_cluster", "2", "0");
    const Case test = head(41, 507, 40);
    const Outputs forwards = test.run(cuda_on_host());
    cuda::emulation::reverse_threads(true);
    const Outputs backwards = test.run(cuda_on_host());
    cuda::emulation::reverse_threads(false);
    EXPECT_EQ(forwards, backwards);
  }
}

}  // namespace
}  // namespace lethe::tests
