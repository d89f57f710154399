// Vectors of fp32 to and from bf16, as core/bf16.h does it for one; the element types of activations.
#pragma once
#include "cpu/vector/simd.h"
#include "lethe/tensor.h"

namespace lethe::cpu::LETHE_ISA {

typedef uint32_t BitVec __attribute__((vector_size(width * 4)));
typedef uint16_t HalfVec __attribute__((vector_size(width * 2)));

// The bf16 bits in the high half of each lane; the low half holds what was rounded off.
LETHE_INLINE BitVec bf16_bits(Vec x) {
  const BitVec bits = reinterpret_cast<BitVec>(x);
  const BitVec rounded = bits + 0x7fffu + ((bits >> 16) & 1u);
  return x != x ? (bits | 0x400000u) : rounded;
}

#if defined(__AVX512BF16__)
inline constexpr bool has_bf16 = true;
LETHE_INLINE HalfVec bf16_halves(Vec x) { return reinterpret_cast<HalfVec>(_mm512_cvtneps_pbh(x)); }
#else
inline constexpr bool has_bf16 = false;
LETHE_INLINE HalfVec bf16_halves(Vec x) { return __builtin_convertvector(bf16_bits(x) >> 16, HalfVec); }
#endif

// An activation's element in memory; arithmetic is on fp32 vectors either way.
struct Bf16 {
  uint16_t bits;
};

LETHE_INLINE Vec widened(HalfVec halves) {
  return reinterpret_cast<Vec>(__builtin_convertvector(halves, BitVec) << 16);
}
LETHE_INLINE HalfVec load_halves(const Bf16* p) {
  HalfVec halves;
  __builtin_memcpy(&halves, p, sizeof halves);
  return halves;
}
LETHE_INLINE HalfVec load_halves_part(const Bf16* p, int64_t count) {
#if defined(__AVX512F__)
  return reinterpret_cast<HalfVec>(_mm256_maskz_loadu_epi16(static_cast<__mmask16>((1u << count) - 1), p));
#else
  HalfVec halves = {};
  for (int64_t i = 0; i < count; ++i) halves[i] = p[i].bits;
  return halves;
#endif
}
LETHE_INLINE Vec load(const Bf16* p) { return widened(load_halves(p)); }
LETHE_INLINE Vec load_part(const Bf16* p, int64_t count) { return widened(load_halves_part(p, count)); }

LETHE_INLINE void store_halves(uint16_t* p, HalfVec halves) { __builtin_memcpy(p, &halves, sizeof halves); }
LETHE_INLINE void store_bf16(uint16_t* p, Vec x) { store_halves(p, bf16_halves(x)); }

LETHE_INLINE void store_bf16_part(uint16_t* p, Vec x, int64_t count) {
  const HalfVec halves = bf16_halves(x);
#if defined(__AVX512F__)
  _mm256_mask_storeu_epi16(p, static_cast<__mmask16>((1u << count) - 1), reinterpret_cast<__m256i>(halves));
#else
  for (int64_t i = 0; i < count; ++i) p[i] = halves[i];
#endif
}
LETHE_INLINE void store(Bf16* p, Vec x) { store_bf16(&p->bits, x); }
LETHE_INLINE void store_part(Bf16* p, Vec x, int64_t count) { store_bf16_part(&p->bits, x, count); }

// Calls body with the element type of an activation: float or Bf16.
template <class Body>
LETHE_INLINE void with_element(bool bf16, Body body) {
  if (bf16)
    body(Bf16{});
  else
    body(float{});
}

// What a call's activations of element type E are, from row `row` of `length` elements on; nullptr for absent ones.
template <class E>
LETHE_INLINE E* row_of(const Tensor& x, int64_t row, int64_t length) {
  return x ? static_cast<E*>(x.data) + row * length : nullptr;
}

LETHE_INLINE Vec rounded_to_bf16(Vec x) { return reinterpret_cast<Vec>(bf16_bits(x) & 0xffff0000u); }

// Pairs of bf16 in 32-bit lanes: `even` in the low halves, `odd` in the high ones.
LETHE_INLINE Vec bf16_pairs(Vec even, Vec odd) {
#if defined(__AVX512BF16__)
  const __m512i in_turns = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6,
                                            21, 5, 20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
  const __m512bh halves = _mm512_cvtne2ps_pbh(odd, even);
  return reinterpret_cast<Vec>(_mm512_permutexvar_epi16(in_turns, reinterpret_cast<__m512i>(halves)));
#else
  return reinterpret_cast<Vec>((bf16_bits(even) >> 16) | (bf16_bits(odd) & 0xffff0000u));
#endif
}

// The same of bf16 vectors as they are.
LETHE_INLINE Vec halves_as_pairs(HalfVec even, HalfVec odd) {
  return reinterpret_cast<Vec>(__builtin_convertvector(even, BitVec) | (__builtin_convertvector(odd, BitVec) << 16));
}

// sum + the products of the pair `a` with the pairs of each lane; denormals count as 0. Only where has_bf16.
LETHE_INLINE Vec multiply_add_pairs(Vec sum, float a, Vec b) {
#if defined(__AVX512BF16__)
  return _mm512_dpbf16_ps(sum, reinterpret_cast<__m512bh>(_mm512_set1_ps(a)), reinterpret_cast<__m512bh>(b));
#else
  static_cast<void>(a), static_cast<void>(b);
  return sum;
#endif
}

}  // namespace lethe::cpu::LETHE_ISA
