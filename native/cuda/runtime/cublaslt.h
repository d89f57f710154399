// cuBLASLt, opened at run time.
#pragma once
#include <cuda_runtime.h>

#include <memory>
#include <string>

#include "cuda/kernels/gemm.h"

namespace lethe::cuda {

class CublasLt {
 public:
  CublasLt();
  ~CublasLt();

  // As `gemm`; false where cuBLASLt has no algorithm for this shape.
  bool run(Context& context, const char* op, const GemmShape& shape, const Matrix& a, const Matrix& b,
           const Product& c);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The library in use, "" before it is opened.
const std::string& cublaslt_path();

}  // namespace lethe::cuda
