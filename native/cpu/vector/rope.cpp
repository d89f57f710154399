// Rotates the pair (x[r], x[r + R]) of each head: (a c - b s, b c + a s). Bound by memory traffic.
#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

namespace {

template <class E>
void run(const rope_args& a) {
  const float sign = a.inverse ? -1.0f : 1.0f;
  parallel_for(a.N * a.H * a.R > 8192, a.N, [&](int64_t n) {
    const float *cos = a.cos.f32() + a.positions.i32()[n] * a.R, *sin = a.sin.f32() + a.positions.i32()[n] * a.R;
    for (int64_t h = 0; h < a.H; ++h) {
      const E* x = row_of<E>(a.x, n * a.H + h, 2 * a.R);
      E* y = row_of<E>(a.y, n * a.H + h, 2 * a.R);
      each_vector(
          0, a.R,
          [&](int64_t r) {
            const Vec c = load(cos + r), s = load(sin + r) * sign, first = load(x + r), second = load(x + r + a.R);
            store(y + r, first * c - second * s);
            store(y + r + a.R, second * c + first * s);
          },
          [&](int64_t r, int64_t k) {
            const Vec c = load_part(cos + r, k), s = load_part(sin + r, k) * sign;
            const Vec first = load_part(x + r, k), second = load_part(x + r + a.R, k);
            store_part(y + r, first * c - second * s, k);
            store_part(y + r + a.R, second * c + first * s, k);
          });
    }
  });
}

}  // namespace

void rope(const rope_args& a) {
  check_ids("rope", "positions", a.positions.i32(), a.N, 0, a.P);
  with_element(a.x.bf16, [&](auto element) { run<decltype(element)>(a); });
}

}  // namespace lethe::cpu::LETHE_ISA
