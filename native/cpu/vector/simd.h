// Vectors of floats, written once for AVX-512, AVX2 and everything else. The type is the vector extension of GCC and
// clang, so + - * / and comparisons work on it and a * b + c becomes an FMA; only what the extension lacks has a
// platform #if. The includer is compiled once per instruction set, in namespace LETHE_ISA (see CMakeLists.txt): no std
// containers here.
#pragma once
#include <cstdint>
#include <utility>
#if defined(__AVX2__)
#include <immintrin.h>
#endif

#include "cpu/parallel.h"

#define LETHE_INLINE inline __attribute__((always_inline))
#define LETHE_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#define LETHE_UNROLL(count) LETHE_PRAGMA(clang loop unroll_count(count))
#else
#define LETHE_UNROLL(count) LETHE_PRAGMA(GCC unroll count)
#endif

namespace lethe::cpu::LETHE_ISA {

#if defined(__AVX512F__)
inline constexpr int64_t width = 16;
#elif defined(__AVX2__)
inline constexpr int64_t width = 8;
#else
inline constexpr int64_t width = 4;
#endif

typedef float Vec __attribute__((vector_size(width * 4)));
typedef int32_t IntVec __attribute__((vector_size(width * 4)));

LETHE_INLINE Vec load(const float* p) {
  Vec v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
LETHE_INLINE void store(float* p, Vec v) { __builtin_memcpy(p, &v, sizeof v); }
LETHE_INLINE Vec splat(float x) { return x - Vec{}; }

// The first `count` < width lanes; the others read 0 and are not written.
LETHE_INLINE Vec load_part(const float* p, int64_t count) {
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p);
#else
  Vec v = {};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i];
  return v;
#endif
}
LETHE_INLINE void store_part(float* p, Vec v, int64_t count) {
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), v);
#else
  for (int64_t i = 0; i < count; ++i) p[i] = v[i];
#endif
}

// y where either is NaN, as the machine instruction has it.
LETHE_INLINE Vec max(Vec x, Vec y) {
#if defined(__AVX512F__)
  return _mm512_max_ps(x, y);
#elif defined(__AVX2__)
  return _mm256_max_ps(x, y);
#else
  return x > y ? x : y;
#endif
}

LETHE_INLINE Vec sqrt(Vec x) {
#if defined(__AVX512F__)
  return _mm512_sqrt_ps(x);
#elif defined(__AVX2__)
  return _mm256_sqrt_ps(x);
#else
  for (int64_t i = 0; i < width; ++i) x[i] = __builtin_sqrtf(x[i]);
  return x;
#endif
}

// Across lanes, by halves: a few instructions instead of a chain of `width`. NaN may or may not come through.
LETHE_INLINE float max_lane(Vec x) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(x);
#else
  for (int64_t half = width / 2; half; half /= 2)
    for (int64_t i = 0; i < half; ++i) x[i] = x[i] > x[i + half] ? x[i] : x[i + half];
  return x[0];
#endif
}
LETHE_INLINE float add_lanes(Vec x) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps(x);
#else
  for (int64_t half = width / 2; half; half /= 2)
    for (int64_t i = 0; i < half; ++i) x[i] += x[i + half];
  return x[0];
#endif
}
// The same in fp64, one after the other.
LETHE_INLINE double sum_lanes(Vec x) {
  double result = 0;
  for (int64_t i = 0; i < width; ++i) result += static_cast<double>(x[i]);
  return result;
}

// e^x to about 1 ulp: x = n ln 2 + r, a polynomial in r (Cephes), then 2^n through the exponent bits.
// 0 below -86.6 (1e-38, the last of the normal range), inf above 88.7; NaN stays NaN.
LETHE_INLINE Vec exp(Vec x) {
  const Vec low = splat(-86.6f), high = splat(88.7228f);
  Vec t = x < low ? low : x;
  t = t > high ? high : t;
  const Vec magic = splat(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  const Vec shifted = t * 1.44269504f + magic;
  const Vec n = shifted - magic;
  Vec r = t - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  Vec p = splat(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  // 2^(n - 1), doubled afterwards: n may be 128.
  const IntVec bits = (reinterpret_cast<IntVec>(shifted) - reinterpret_cast<IntVec>(magic) + 126) << 23;
  const Vec y = p * reinterpret_cast<Vec>(bits) * 2.0f;
  return x < low ? Vec{} : x > high ? splat(__builtin_inff()) : y;
}

// 2^n 2^f for |f| <= 0.5, to an ulp; `shifted` holds n + 127 >= 0 in its low bits, and n = -127 gives 0.
LETHE_INLINE Vec scale_exp2(Vec f, Vec shifted) {
  Vec p = splat(1.326472691e-03f);
  p = p * f + 9.671512661e-03f;
  p = p * f + 5.550733744e-02f;
  p = p * f + 2.402224208e-01f;
  p = p * f + 6.931469776e-01f;
  p = p * f + 1.0f;
  return p * reinterpret_cast<Vec>(reinterpret_cast<IntVec>(shifted) << 23);
}
inline constexpr float exponent_shift = 12582912.0f + 127.0f;  // 1.5 * 2^23: adding it rounds to an integer

// 2^x and e^x for x <= 0 and little more (below 2^7): half the instructions of exp. 0 below 2^-126.5, NaN stays NaN.
LETHE_INLINE Vec exp2_of_score(Vec x) {
  const Vec t = max(splat(-127.0f), x), shifted = t + exponent_shift;
  return scale_exp2(t - (shifted - exponent_shift), shifted);
}
LETHE_INLINE Vec exp_of_score(Vec x) {
  const Vec t = max(splat(-88.0f), x), shifted = t * 1.44269504f + exponent_shift, n = shifted - exponent_shift;
  Vec f = t * 1.44269504f - n;  // exact with an FMA but for the constant, whose rest follows
  f = t * 1.92596299e-8f + f;
  return scale_exp2(f, shifted);
}

// The lanes of two vectors in turns: their first halves and their second halves.
template <int... i>
LETHE_INLINE void interleave(Vec x, Vec y, Vec& low, Vec& high, std::integer_sequence<int, i...>) {
  constexpr int w = width;
  low = __builtin_shufflevector(x, y, (i / 2 + i % 2 * w)...);
  high = __builtin_shufflevector(x, y, (i / 2 + i % 2 * w + w / 2)...);
}

// rows[i][j] becomes rows[j][i].
LETHE_INLINE void transpose(Vec (&rows)[width]) {
  LETHE_UNROLL(4)
  for (int64_t stage = 1; stage < width; stage *= 2) {
    Vec next[width];
    LETHE_UNROLL(8)
    for (int64_t i = 0; i < width / 2; ++i)
      interleave(rows[i], rows[i + width / 2], next[2 * i], next[2 * i + 1], std::make_integer_sequence<int, width>());
    LETHE_UNROLL(16)
    for (int64_t i = 0; i < width; ++i) rows[i] = next[i];
  }
}

// Calls body(i) for whole vectors at i, then once body(i, count) for the rest of [begin, end).
template <class Whole, class Part>
LETHE_INLINE void each_vector(int64_t begin, int64_t end, Whole whole, Part part) {
  int64_t i = begin;
  for (; i + width <= end; i += width) whole(i);
  if (i < end) part(i, end - i);
}

// y[i] = f(inputs[i]...) over [begin, end)
template <class Out, class F, class... In>
LETHE_INLINE void map_range(int64_t begin, int64_t end, Out* y, F f, const In*... in) {
  each_vector(
      begin, end, [&](int64_t i) { store(y + i, f(load(in + i)...)); },
      [&](int64_t i, int64_t count) { store_part(y + i, f(load_part(in + i, count)...), count); });
}

// body(begin, end) over [0, count) in fixed blocks, in parallel when there is enough to do.
template <class Body>
LETHE_INLINE void parallel_blocks(int64_t count, Body body) {
  constexpr int64_t block = 8192;
  parallel_for(count > 2 * block, (count + block - 1) / block,
               [&](int64_t i) { body(i * block, (i + 1) * block < count ? (i + 1) * block : count); });
}

}  // namespace lethe::cpu::LETHE_ISA
