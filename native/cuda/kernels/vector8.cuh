// Eight neighbouring numbers at a time: 16 bytes of bf16 or fp16, 32 bytes of fp32.
#pragma once
#include "ptx.cuh"

namespace lethe::cuda {

inline bool is_aligned(const void* data) { return reinterpret_cast<uintptr_t>(data) % 16 == 0; }

template <class... Pointers>
bool are_aligned(Pointers... pointers) {
  return (is_aligned(pointers) && ...);
}

__device__ inline void unpack(uint32_t word, float& first, float& second, Bf16) {
  first = to_float(Bf16{static_cast<uint16_t>(word)});
  second = to_float(Bf16{static_cast<uint16_t>(word >> 16)});
}
__device__ inline void unpack(uint32_t word, float& first, float& second, Half) {
  first = to_float(Half{static_cast<uint16_t>(word)});
  second = to_float(Half{static_cast<uint16_t>(word >> 16)});
}

struct __align__(16) Words {
  uint32_t w[4];
};

template <class T>
__device__ void load8(const T* from, float (&x)[8]) {
  const Words words = *reinterpret_cast<const Words*>(from);
#pragma unroll
  for (int i = 0; i < 4; ++i) unpack(words.w[i], x[2 * i], x[2 * i + 1], T{});
}
__device__ inline void load8(const float* from, float (&x)[8]) {
  struct __align__(16) Four {
    float f[4];
  };
  const Four low = reinterpret_cast<const Four*>(from)[0], high = reinterpret_cast<const Four*>(from)[1];
#pragma unroll
  for (int i = 0; i < 4; ++i) x[i] = low.f[i], x[4 + i] = high.f[i];
}

template <class T>
__device__ void store8(T* to, const float (&x)[8]) {
  Words words;
#pragma unroll
  for (int i = 0; i < 4; ++i) words.w[i] = pack(x[2 * i], x[2 * i + 1], T{});
  *reinterpret_cast<Words*>(to) = words;
}
__device__ inline void store8(float* to, const float (&x)[8]) {
  struct __align__(16) Four {
    float f[4];
  };
  reinterpret_cast<Four*>(to)[0] = {x[0], x[1], x[2], x[3]};
  reinterpret_cast<Four*>(to)[1] = {x[4], x[5], x[6], x[7]};
}

// Elements i to i + 7 of n; those past the end read as 0 and are not written. `wide`: every group of eight is aligned.
template <class T>
__device__ void load_part(const T* x, int64_t i, int64_t n, bool wide, float (&out)[8]) {
  if (wide && i + 8 <= n) return load8(x + i, out);
#pragma unroll
  for (int j = 0; j < 8; ++j) out[j] = i + j < n ? to_float(x[i + j]) : 0;
}
template <class T>
__device__ void store_part(T* y, int64_t i, int64_t n, bool wide, const float (&in)[8]) {
  if (wide && i + 8 <= n) return store8(y + i, in);
#pragma unroll
  for (int j = 0; j < 8; ++j)
    if (i + j < n) from_float(in[j], y[i + j]);
}

// A grid that covers `count` groups of eight, for kernels that step through the rest.
inline Launch elementwise(int64_t count) {
  const int64_t blocks = (count + 8 * 256 - 1) / (8 * 256);
  return {dim3(static_cast<unsigned>(blocks < 65536 ? blocks : 65536)), dim3(256)};
}
__device__ inline int64_t first_of_thread() { return (int64_t{blockIdx.x} * blockDim.x + threadIdx.x) * 8; }
__device__ inline int64_t step_of_grid() { return int64_t{gridDim.x} * blockDim.x * 8; }

}  // namespace lethe::cuda
