// Runs a function with the element type of activations, or of one tensor.
#pragma once
#include "cuda/kernels/number.h"
#include "lethe/tensor.h"

namespace lethe::cuda {

template <class Function>
void with_type(bool bf16, const Function& function) {
  if (bf16)
    function(Bf16{});
  else
    function(float{});
}

template <class T>
T* data_of(const Tensor& x) {
  return static_cast<T*>(x.data);
}

}  // namespace lethe::cuda
