// Vectors of fp32 to and from fp16, the numbers of IEEE 754 binary16: 11 bits of precision, up to 65504, in steps of
// 2^-24 below 2^-14. For what is kept between passes and is neither large nor needed in full.
#pragma once
#include "cpu/vector/bf16.h"

namespace lethe::cpu::LETHE_ISA {

// A number in memory; arithmetic is on fp32 vectors.
struct Fp16 {
  uint16_t bits;
};

LETHE_INLINE BitVec splat_bits(uint32_t x) { return x - BitVec{}; }

LETHE_INLINE Vec load(const Fp16* p) {
  HalfVec halves;
  __builtin_memcpy(&halves, p, sizeof halves);
#if defined(__AVX512F__)
  return _mm512_cvtph_ps(reinterpret_cast<__m256i>(halves));
#elif defined(__AVX2__)
  return _mm256_cvtph_ps(reinterpret_cast<__m128i>(halves));
#else
  const BitVec bits = __builtin_convertvector(halves, BitVec);
  const BitVec magnitude = (bits & 0x7fffu) << 13, exponent = magnitude & (0x7c00u << 13);
  const BitVec normal = magnitude + (112u << 23);  // from bias 15 to bias 127
  const BitVec special = normal + (112u << 23);    // inf and NaN: the largest exponent of both
  const Vec tiny = reinterpret_cast<Vec>(normal + (1u << 23)) - reinterpret_cast<Vec>(splat_bits(113u << 23));
  const BitVec finite = exponent == 0u ? reinterpret_cast<BitVec>(tiny) : normal;
  return reinterpret_cast<Vec>((exponent == (0x7c00u << 13) ? special : finite) | ((bits & 0x8000u) << 16));
#endif
}

// To the nearest, ties to even; inf beyond 65520, NaN stays NaN.
LETHE_INLINE void store(Fp16* p, Vec x) {
  HalfVec halves;
#if defined(__AVX512F__)
  halves = reinterpret_cast<HalfVec>(_mm512_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#elif defined(__AVX2__)
  halves = reinterpret_cast<HalfVec>(_mm256_cvtps_ph(x, _MM_FROUND_TO_NEAREST_INT));
#else
  const BitVec bits = reinterpret_cast<BitVec>(x), sign = bits & 0x80000000u, magnitude = bits ^ sign;
  const BitVec odd = (magnitude >> 13) & 1u;
  const BitVec normal = (magnitude - (112u << 23) + 0xfffu + odd) >> 13;  // a carry of 65520 and more gives inf
  const BitVec half = splat_bits(126u << 23);  // adding 0.5 rounds to multiples of 2^-24, held in the low bits
  const BitVec tiny = reinterpret_cast<BitVec>(reinterpret_cast<Vec>(magnitude) + reinterpret_cast<Vec>(half)) - half;
  const BitVec special = magnitude > (255u << 23) ? splat_bits(0x7e00u) : splat_bits(0x7c00u);
  const BitVec finite = magnitude < (113u << 23) ? tiny : normal;
  const BitVec unsigned_half = magnitude >= (143u << 23) ? special : finite;
  halves = __builtin_convertvector(unsigned_half | (sign >> 16), HalfVec);
#endif
  __builtin_memcpy(p, &halves, sizeof halves);
}

}  // namespace lethe::cpu::LETHE_ISA
