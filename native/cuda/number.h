// The 2-byte numbers that tensors are stored in, as bits; ptx.cuh converts them. LETHE_HD marks what host and device
// share.
#pragma once
#include <cstdint>

#ifdef __CUDACC__
#define LETHE_HD __host__ __device__
#else
#define LETHE_HD
#endif

namespace lethe::cuda {

struct Bf16 {
  uint16_t bits;
};

struct Half {
  uint16_t bits;
};

}  // namespace lethe::cuda
