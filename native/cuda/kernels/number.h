// The 2-byte numbers that tensors are stored in, as bits; ptx.cuh converts them.
#pragma once
#include <cstdint>

namespace lethe::cuda {

struct Bf16 {
  uint16_t bits;
};

struct Half {
  uint16_t bits;
};

}  // namespace lethe::cuda
