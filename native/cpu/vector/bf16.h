// Vectors of fp32 to bf16, as core/bf16.h does it for one.
#pragma once
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

typedef uint32_t BitVec __attribute__((vector_size(width * 4)));
typedef uint16_t HalfVec __attribute__((vector_size(width * 2)));

// The bf16 bits in the high half of each lane; the low half holds what was rounded off.
LETHE_INLINE BitVec bf16_bits(Vec x) {
  const BitVec bits = reinterpret_cast<BitVec>(x);
  const BitVec rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return x != x ? (bits | 0x400000u) : rounded;
}

LETHE_INLINE void store_bf16(uint16_t* p, Vec x) {
  const HalfVec halves = __builtin_convertvector(bf16_bits(x) >> 16, HalfVec);
  __builtin_memcpy(p, &halves, sizeof halves);
}

LETHE_INLINE void store_bf16_part(uint16_t* p, Vec x, int64_t count) {
  const HalfVec halves = __builtin_convertvector(bf16_bits(x) >> 16, HalfVec);
  for (int64_t i = 0; i < count; ++i) p[i] = halves[i];
}

LETHE_INLINE Vec rounded_to_bf16(Vec x) { return reinterpret_cast<Vec>(bf16_bits(x) & 0xffff0000u); }

}  // namespace lethe::cpu::LETHE_ISA
