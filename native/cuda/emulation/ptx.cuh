// device/ptx.cuh for a CPU: the same instructions, lane by lane, after NVIDIA's description of each.
#pragma once
#include <cuda_runtime.h>

#include <algorithm>
#include <bit>
#include <string>
#include <utility>

#include "core/bf16.h"
#include "cuda/kernels/number.h"
#include "lethe/error.h"

namespace lethe::cuda {

using std::max;
using std::min;

struct Launch {
  dim3 grid, block;
  size_t shared = 0;
  unsigned cluster = 1;
};

template <class... Parameters, class... Arguments>
void launch(cudaStream_t stream, const char*, void (*kernel)(Parameters...), const Launch& how,
            const Arguments&... arguments) {
  if (how.grid.x == 0 || how.grid.y == 0 || how.grid.z == 0) return;
  fake::submit(stream, [how, kernel, ... copies = static_cast<Parameters>(arguments)] {
    emulation::run_grid(how.grid, how.block, how.shared, how.cluster, [&] { kernel(copies...); });
  });
}

template <class... Parameters>
bool cluster_fits(void (*)(Parameters...), const Launch& how) {
  return how.cluster <= 16;
}

template <class T>
T* shared_memory() {
  return reinterpret_cast<T*>(emulation::shared_memory());
}

inline void sync_cluster() { emulation::sync_cluster(); }
inline float read_shared_of(const float* mine, unsigned rank) {
  const auto offset = reinterpret_cast<const unsigned char*>(mine) - emulation::shared_memory();
  return *reinterpret_cast<const float*>(emulation::shared_memory_of(rank) + offset);
}

// In the order of the exchanges between lanes, with one exchange.
template <class T, class Combine>
T combine_lanes(T x, const Combine& combine) {
  emulation::Slot mine{};
  std::memcpy(&mine, &x, sizeof(T));
  const emulation::Slot* slots = emulation::exchange(mine);
  T values[32], next[32];
  for (int i = 0; i < 32; ++i) std::memcpy(&values[i], &slots[i], sizeof(T));
  for (int lanes = 16; lanes > 0; lanes /= 2) {
    for (int i = 0; i < 32; ++i) next[i] = combine(values[i], values[i ^ lanes]);
    std::copy(next, next + 32, values);
  }
  return values[emulation::lane()];
}
template <class T>
T warp_sum(T x) {
  return combine_lanes(x, [](T a, T b) { return a + b; });
}
inline float larger(float x, float y) { return x > y || x != x ? x : y; }
inline float warp_max(float x) { return combine_lanes(x, larger); }

inline float exp2_fast(float x) {
  const float y = std::exp2(x);
  return y < 1.17549435e-38F ? 0 : y;
}

inline float half_to_float(uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  float y = exponent == 31 ? (mantissa ? NAN : INFINITY)
            : exponent     ? std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25)
                           : std::ldexp(static_cast<float>(mantissa), -24);
  return bits & 0x8000 ? -y : y;
}
inline uint16_t float_to_half(float x) {
  const auto sign = static_cast<uint16_t>(std::signbit(x) ? 0x8000 : 0);
  const float size = std::fabs(x);
  if (std::isnan(x)) return static_cast<uint16_t>(sign | 0x7fff);
  if (size >= 65520) return static_cast<uint16_t>(sign | 0x7c00);
  const int exponent = size < 0x1p-14F ? -14 : std::ilogb(size);
  const float scaled = std::nearbyint(std::ldexp(size, 10 - exponent));  // [1024, 2048], or below 1024 when subnormal
  const auto mantissa = static_cast<uint16_t>(scaled);
  return static_cast<uint16_t>(sign | (size < 0x1p-14F ? mantissa : ((exponent + 14) << 10) + mantissa));
}

inline uint32_t larger_pair(uint32_t x, uint32_t y) {
  const auto half = [](uint32_t word) { return static_cast<uint16_t>(word); };
  const auto larger_half = [&](uint32_t a, uint32_t b) {
    return float_to_half(larger(half_to_float(half(a)), half_to_float(half(b))));
  };
  return larger_half(x, y) | static_cast<uint32_t>(larger_half(x >> 16, y >> 16)) << 16;
}

inline float to_float(float x) { return x; }
inline float to_float(Bf16 x) { return from_bf16(x.bits); }
inline float to_float(Half x) { return half_to_float(x.bits); }
inline void from_float(float x, float& y) { y = x; }
inline void from_float(float x, Bf16& y) { y.bits = to_bf16(x); }
inline void from_float(float x, Half& y) { y.bits = float_to_half(x); }
inline uint32_t pack(float first, float second, Bf16) {
  return to_bf16(first) | static_cast<uint32_t>(to_bf16(second)) << 16;
}
inline uint32_t pack(float first, float second, Half) {
  return float_to_half(first) | static_cast<uint32_t>(float_to_half(second)) << 16;
}

inline void copy_async(void* shared, const void* global, bool exists) {
  if (reinterpret_cast<uintptr_t>(shared) % 16 || (exists && reinterpret_cast<uintptr_t>(global) % 16))
    throw std::logic_error("cp.async of an address that is not a multiple of 16");
  emulation::later([=] {
    if (exists)
      std::memcpy(shared, global, 16);
    else
      std::memset(shared, 0, 16);
  });
}
inline void commit_copies() { emulation::commit_later(); }
template <int pending>
void wait_copies() {
  emulation::wait_later(pending);
}

namespace emulation {
inline uint16_t element(const Slot* slots, unsigned matrix, unsigned row, unsigned column) {
  const auto address = slots[matrix * 8 + row].words[0];
  return reinterpret_cast<const uint16_t*>(address)[column];
}
inline const Slot* give_row(const void* shared_row) {
  if (reinterpret_cast<uintptr_t>(shared_row) % 16)
    throw std::logic_error("ldmatrix of an address that is not a multiple of 16");
  return exchange({{reinterpret_cast<uint64_t>(shared_row)}});
}
}  // namespace emulation

inline void load_matrices(uint32_t (&m)[4], const void* shared_row) {
  const emulation::Slot* slots = emulation::give_row(shared_row);
  const unsigned l = emulation::lane();
  for (unsigned i = 0; i < 4; ++i)
    m[i] = emulation::element(slots, i, l / 4, l % 4 * 2) |
           static_cast<uint32_t>(emulation::element(slots, i, l / 4, l % 4 * 2 + 1)) << 16;
}
inline void load_matrices_transposed(uint32_t (&m)[4], const void* shared_row) {
  const emulation::Slot* slots = emulation::give_row(shared_row);
  const unsigned l = emulation::lane();
  for (unsigned i = 0; i < 4; ++i)
    m[i] = emulation::element(slots, i, l % 4 * 2, l / 4) |
           static_cast<uint32_t>(emulation::element(slots, i, l % 4 * 2 + 1, l / 4)) << 16;
}

inline void multiply_add(float (&c)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
  const emulation::Slot* slots = emulation::exchange({{a[0], a[1], a[2], a[3], b0, b1}});
  const unsigned l = emulation::lane(), group = l / 4, pair = l % 4;
  const auto bf16 = [](uint64_t word, unsigned high) {
    return from_bf16(static_cast<uint16_t>(high ? word >> 16 : word));
  };
  // a: row = lane / 4 (+ 8 in registers 1 and 3), k = 2 (lane % 4) + half (+ 8 in registers 2 and 3).
  const auto left = [&](unsigned row, unsigned k) {
    const unsigned from = row % 8 * 4 + k % 8 / 2, number = row / 8 + k / 8 * 2;
    return bf16(slots[from].words[number], k % 2);
  };
  // b: n = lane / 4, k = 2 (lane % 4) + half (+ 8 in register 1).
  const auto right = [&](unsigned k, unsigned n) { return bf16(slots[n * 4 + k % 8 / 2].words[4 + k / 8], k % 2); };
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned k = 0; k < 16; ++k) c[i] += left(group + i / 2 * 8, k) * right(k, pair * 2 + i % 2);
}

}  // namespace lethe::cuda
