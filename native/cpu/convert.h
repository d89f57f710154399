// Elements from one tensor to another, each fp32 or bf16.
#pragma once
#include <cstring>

#include "cpu/vector/kernels.h"
#include "lethe/tensor.h"

namespace lethe::cpu {

// Row `index` of rows of `length` elements, as a tensor of its own outside the store.
inline Tensor row(const Tensor& x, int64_t index, int64_t length) {
  Tensor part;
  part.bf16 = x.bf16;
  part.data = static_cast<char*>(x.data) + index * length * (x.bf16 ? 2 : 4);
  return part;
}

inline void copy(const Tensor& x, const Tensor& y, int64_t count) {
  if (x.bf16 && !y.bf16)
    kernels().from_bf16(x.halves(), y.f32(), count);
  else if (y.bf16 && !x.bf16)
    kernels().to_bf16(x.f32(), y.halves(), count);
  else
    std::memcpy(y.data, x.data, static_cast<size_t>(count) * (x.bf16 ? 2 : 4));
}

}  // namespace lethe::cpu
