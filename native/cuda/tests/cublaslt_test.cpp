// Products through cuBLASLt's interface, over fake_cublaslt.cpp: layouts, types and what is added to are as documented.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "lethe/cuda.h"
#include "tests/case.h"

namespace lethe {
Device& cuda_on_host();
}

namespace lethe::tests {
namespace {

// The device multiplies by the library while this lives.
class ByLibrary {
 public:
  ByLibrary() {
    setenv("LETHE_CUBLASLT", LETHE_FAKE_CUBLASLT, 1);
    cuda_on_host();
    lethe_cuda_open(0, &device_);
    EXPECT_EQ(lethe_cuda_set(device_, "gemm", "cublaslt"), 0);
  }
  ~ByLibrary() { lethe_cuda_set(device_, "gemm", "plain"); }
  int64_t products() const {
    void* library = dlopen(LETHE_FAKE_CUBLASLT, RTLD_NOW);
    return reinterpret_cast<int64_t (*)()>(dlsym(library, "fake_cublaslt_products"))();
  }
  lethe_cuda_info info() const {
    lethe_cuda_info info;
    lethe_cuda_describe(device_, &info);
    return info;
  }

 private:
  lethe_cuda* device_ = nullptr;
};

void expect_same(const Case& test, int64_t products) {
  const Outputs plain = test.run(cuda_on_host());
  const ByLibrary library;
  const int64_t before = library.products();
  const Outputs outputs = test.run(cuda_on_host());
  EXPECT_EQ(library.products() - before, products) << test.text();
  for (const auto& [name, values] : plain)
    for (size_t i = 0; i < values.size(); ++i)
      ASSERT_LE(std::fabs(outputs.at(name)[i] - values[i]), 1e-4 * (1 + std::fabs(values[i])))
          << name << '[' << i << "] of " << test.text();
}

TEST(CublasLt, MultipliesRowMajorMatrices) {
  for (const bool bf16 : {false, true}) {
    expect_same(Case("linear").set("N", 5).set("I", 7).set("O", 3).omit("bias").bf16(bf16), 1);
    expect_same(Case("linear").set("N", 5).set("I", 7).set("O", 3).bf16(bf16), 1);
  }
}

TEST(CublasLt, AddsToGradients) {
  for (const bool bf16 : {false, true})
    for (const int accumulate : {0, 1}) {
      Case test("linear_backward");
      test.set("N", 6).set("I", 9).set("O", 4).set("accumulate_dx", accumulate).bf16(bf16);
      expect_same(test.give("dx", normal(test.elements("dx"), 3)), 2);
    }
}

TEST(CublasLt, MultipliesTheHead) {
  lethe_cuda* device = nullptr;
  cuda_on_host();
  lethe_cuda_open(0, &device);
  for (const char* logits : {"fp16", "fp32"}) {
    lethe_cuda_set(device, "head_logits", logits);
    Case test("unlearn_head");
    test.set("N", 6).set("M", 3).set("D", 5).set("V", 11).set("num_forget", 2);
    test.give("targets", Ints{3, 0, -1, 10, 4, 7});
    test.set("scale_forgetting", 0.01).set("scale_replay", 0.5).set("scale_mitigation", 0.5).bf16(true);
    expect_same(test, 4);
  }
  lethe_cuda_set(device, "head_logits", "fp32");
}

TEST(CublasLt, CountsProductsThatItDoesNotTake) {
  const Case test = Case("linear").set("N", 2).set("I", 13).set("O", 3).omit("bias");
  int64_t before = 0;
  {
    const ByLibrary library;
    before = library.info().plain_products;
    EXPECT_NE(std::string(library.info().cublaslt), "");
  }
  expect_same(test, 0);
  EXPECT_EQ(ByLibrary().info().plain_products, before + 1);
}

}  // namespace
}  // namespace lethe::tests
