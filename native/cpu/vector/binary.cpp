// y[i] = f(a[(i / a_repeat) % A], b[(i / b_repeat) % B]); max and min pass NaN on.
// Equal shapes and scalars are vectors; other broadcasts step counters instead of dividing.
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

// Walks x[(i / repeat) % count] for i = begin, begin + 1, ...
struct Walk {
  const float* x;
  int64_t count, repeat, index, phase;
  Walk(const float* data, int64_t size, int64_t times, int64_t begin)
      : x(data), count(size), repeat(times), index(begin / times % size), phase(begin % times) {}
  LETHE_INLINE float next() {
    const float value = x[index];
    if (++phase == repeat) {
      phase = 0;
      if (++index == count) index = 0;
    }
    return value;
  }
};

template <class F>
LETHE_INLINE void apply(const binary_args& p, F f) {
  const float *a = p.a.f32(), *b = p.b.f32();
  float* y = p.y.f32();
  const bool dense_a = p.a_repeat == 1 && p.A >= p.N, dense_b = p.b_repeat == 1 && p.B >= p.N;
  parallel_blocks(p.N, [&](int64_t begin, int64_t end) {
    if (dense_a && dense_b) return map_range(begin, end, y, f, a, b);
    if (dense_a && p.B == 1) return map_range(begin, end, y, [=](Vec u) { return f(u, splat(b[0])); }, a);
    if (dense_b && p.A == 1) return map_range(begin, end, y, [=](Vec v) { return f(splat(a[0]), v); }, b);
    Walk left(a, p.A, p.a_repeat, begin), right(b, p.B, p.b_repeat, begin);
    const auto step = [&](int64_t i, int64_t n) {
      Vec u = {}, v = {};
      for (int64_t j = 0; j < n; ++j) u[j] = left.next(), v[j] = right.next();
      store_part(y + i, f(u, v), n);
    };
    for (int64_t i = begin; i < end; i += width - 1) step(i, end - i < width - 1 ? end - i : width - 1);
  });
}

}  // namespace

void binary(const binary_args& p) {
  switch (p.kind) {
    case 0:
      return apply(p, [](Vec a, Vec b) { return a + b; });
    case 1:
      return apply(p, [](Vec a, Vec b) { return a - b; });
    case 2:
      return apply(p, [](Vec a, Vec b) { return a * b; });
    case 3:
      return apply(p, [](Vec a, Vec b) { return a / b; });
    case 4:
      return apply(p, [](Vec a, Vec b) { return ((a > b) | (a != a)) ? a : b; });
    default:
      return apply(p, [](Vec a, Vec b) { return ((a < b) | (a != a)) ? a : b; });
  }
}

}  // namespace lethe::cpu::LETHE_ISA
