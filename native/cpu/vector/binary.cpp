// y[i] = f(a[(i / a_repeat) % A], b[(i / b_repeat) % B]); max and min pass NaN on.
// Equal shapes and scalars are vectors; other broadcasts step counters instead of dividing.
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

// Walks x[(i / repeat) % count] for i = begin, begin + 1, ...
template <class E>
struct Walk {
  const E* x;
  int64_t count, repeat, index, phase;
  Walk(const E* data, int64_t size, int64_t times, int64_t begin)
      : x(data), count(size), repeat(times), index(begin / times % size), phase(begin % times) {}
  LETHE_INLINE float next() {
    const float value = load_part(x + index, 1)[0];
    if (++phase == repeat) {
      phase = 0;
      if (++index == count) index = 0;
    }
    return value;
  }
};

template <class E, class F>
LETHE_INLINE void apply(const binary_args& p, F f) {
  const E *a = row_of<E>(p.a, 0, 0), *b = row_of<E>(p.b, 0, 0);
  E* y = row_of<E>(p.y, 0, 0);
  const bool dense_a = p.a_repeat == 1 && p.A >= p.N, dense_b = p.b_repeat == 1 && p.B >= p.N;
  parallel_blocks(p.N, [&](int64_t begin, int64_t end) {
    if (dense_a && dense_b) return map_range(begin, end, y, f, a, b);
    if (dense_a && p.B == 1) {
      const Vec v = splat(load_part(b, 1)[0]);
      return map_range(begin, end, y, [=](Vec u) { return f(u, v); }, a);
    }
    if (dense_b && p.A == 1) {
      const Vec u = splat(load_part(a, 1)[0]);
      return map_range(begin, end, y, [=](Vec v) { return f(u, v); }, b);
    }
    Walk<E> left(a, p.A, p.a_repeat, begin), right(b, p.B, p.b_repeat, begin);
    const auto step = [&](int64_t i, int64_t n) {
      Vec u = {}, v = {};
      for (int64_t j = 0; j < n; ++j) u[j] = left.next(), v[j] = right.next();
      store_part(y + i, f(u, v), n);
    };
    for (int64_t i = begin; i < end; i += width - 1) step(i, end - i < width - 1 ? end - i : width - 1);
  });
}

template <class E>
void run(const binary_args& p) {
  switch (p.kind) {
    case 0:
      return apply<E>(p, [](Vec a, Vec b) { return a + b; });
    case 1:
      return apply<E>(p, [](Vec a, Vec b) { return a - b; });
    case 2:
      return apply<E>(p, [](Vec a, Vec b) { return a * b; });
    case 3:
      return apply<E>(p, [](Vec a, Vec b) { return a / b; });
    case 4:
      return apply<E>(p, [](Vec a, Vec b) { return ((a > b) | (a != a)) ? a : b; });
    default:
      return apply<E>(p, [](Vec a, Vec b) { return ((a < b) | (a != a)) ? a : b; });
  }
}

}  // namespace

void binary(const binary_args& p) {
  with_element(p.y.bf16, [&](auto element) { run<decltype(element)>(p); });
}

}  // namespace lethe::cpu::LETHE_ISA
