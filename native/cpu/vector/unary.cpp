// y[i] = f(x[i]); the kinds are those of the table. What simd.h lacks goes lane by lane through libm.
#include <math.h>

#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

template <class F>
LETHE_INLINE void apply(const unary_args& a, F f) {
  parallel_blocks(a.N, [&](int64_t begin, int64_t end) { map_range(begin, end, a.y.f32(), f, a.x.f32()); });
}

template <class F>
LETHE_INLINE void by_lane(const unary_args& a, F f) {
  const float* x = a.x.f32();
  float* y = a.y.f32();
  parallel_blocks(a.N, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) y[i] = f(x[i]);
  });
}

}  // namespace

void unary(const unary_args& a) {
  switch (a.kind) {
    case 0:
      return apply(a, [](Vec x) { return -x; });
    case 1:
      return apply(a, [](Vec x) { return x * x; });
    case 2:
      return apply(a, [](Vec x) { return exp(x); });
    case 3:
      return by_lane(a, [](float x) { return ::logf(x); });
    case 4:
      return apply(a, [](Vec x) { return sqrt(x); });
    case 5:
      return apply(a, [](Vec x) { return 1.0f / sqrt(x); });
    case 6:
      return apply(a, [](Vec x) { return 1.0f / x; });
    case 7:
      return apply(a, [](Vec x) { return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(x) & 0x7fffffff); });
    case 8:
      return apply(a, [](Vec x) { return x < 0.0f ? Vec{} : x; });
    case 9:
      return apply(a, [](Vec x) { return 1.0f / (1.0f + exp(-x)); });
    case 10:
      return by_lane(a, [](float x) { return ::tanhf(x); });
    case 11:
      return apply(a, [](Vec x) { return x > 0.0f ? splat(1.0f) : Vec{}; });
    default:
      return by_lane(a, [](float x) { return x > 0 ? x + ::log1pf(::expf(-x)) : ::log1pf(::expf(x)); });
  }
}

}  // namespace lethe::cpu::LETHE_ISA
