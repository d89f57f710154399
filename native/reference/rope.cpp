// Rotates the pair (x[r], x[r + R]) of each head by the angle of the row's position; inverse turns the angle round.
#include "core/check.h"
#include "reference/operators.h"

namespace lethe::reference {

void rope(const rope_args& a) {
  check_ids("rope", "positions", a.positions.i32(), a.N, 0, a.P);
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t h = 0; h < a.H; ++h)
      for (int64_t r = 0; r < a.R; ++r) {
        const int64_t i = (n * a.H + h) * 2 * a.R + r, angle = a.positions.i32()[n] * a.R + r;
        const double c = a.cos.f32()[angle], s = a.inverse ? -a.sin.f32()[angle] : a.sin.f32()[angle];
        const double first = a.x.f32()[i], second = a.x.f32()[i + a.R];
        a.y.f32()[i] = static_cast<float>(first * c - second * s);
        a.y.f32()[i + a.R] = static_cast<float>(second * c + first * s);
      }
}

}  // namespace lethe::reference
