// Rotates the pair (x[r], x[r + R]) of each head: (a c - b s, b c + a s). 8 bytes of traffic per element, bound by it.
#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

void rope(const rope_args& a) {
  check_ids("rope", "positions", a.positions.i32(), a.N, 0, a.P);
  const float sign = a.inverse ? -1.0f : 1.0f;
  parallel_for(a.N * a.H * a.R > 8192, a.N, [&](int64_t n) {
    const float *cos = a.cos.f32() + a.positions.i32()[n] * a.R, *sin = a.sin.f32() + a.positions.i32()[n] * a.R;
    for (int64_t h = 0; h < a.H; ++h) {
      const float* x = a.x.f32() + (n * a.H + h) * 2 * a.R;
      float* y = a.y.f32() + (n * a.H + h) * 2 * a.R;
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

}  // namespace lethe::cpu::LETHE_ISA
