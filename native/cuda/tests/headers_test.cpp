// headers.cpp is compiled with these tests; here is what it could compare with.
#include "cuda/tests/headers.h"

#include <gtest/gtest.h>

namespace lethe::cuda {
namespace {

TEST(Headers, OfCublasLtAreAsDeclared) {
  if (!has_cublaslt_header) GTEST_SKIP() << "cublasLt.h is not installed (LETHE_CUDA_HEADERS)";
}

TEST(Headers, OfNcclAreAsDeclared) {
  if (!has_nccl_header) GTEST_SKIP() << "nccl.h is not installed (LETHE_CUDA_HEADERS)";
}

}  // namespace
}  // namespace lethe::cuda
