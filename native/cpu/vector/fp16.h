// Vectors of fp32 to and from fp16, the numbers of IEEE 754 binary16: 11 bits of precision, up to 65504, in steps of
// 2^-24 below 2^-14. For what is kept between passes and is neither large nor needed in full.
#pragma once
#include "cpu/vector/bf16.h"

namespace lethe::cpu::LETHE_ISA {

// A number in memory; arithmetic is on fp32 vectors.
struct Fp16 {
  uint16_t bits;
};

LETHE_INLINE Vec load(const Fp16* p) {
  HalfVec halves;
  __builtin_memcpy(&halves, p, sizeof halves);
#if defined(__AVX512F__)
  return _mm512_cvtph_ps(reinterpret_cast<__m256i>(halves));
#elif defined(__AVX2__)
  return _mm256_cvtph_ps(reinterpret_cast<__m128i>(halves));
#else
  Vec x;
  for (int64_t i = 0; i < width; ++i) {
    _Float16 half;
    const uint16_t bits = halves[i];
    __builtin_memcpy(&half, &bits, sizeof half);
    x[i] = static_cast<float>(half);
  }
  return x;
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
  for (int64_t i = 0; i < width; ++i) {
    const auto half = static_cast<_Float16>(x[i]);
    uint16_t bits;
    __builtin_memcpy(&bits, &half, sizeof bits);
    halves[i] = bits;
  }
#endif
  __builtin_memcpy(p, &halves, sizeof halves);
}

}  // namespace lethe::cpu::LETHE_ISA
