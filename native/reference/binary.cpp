// y[i] = f(a[(i / a_repeat) % A], b[(i / b_repeat) % B]); max and min pass NaN on.
#include <cmath>

#include "reference/operators.h"

namespace lethe::reference {
namespace {

double apply(int64_t kind, double x, double y) {
  switch (kind) {
    case 0:
      return x + y;
    case 1:
      return x - y;
    case 2:
      return x * y;
    case 3:
      return x / y;
    case 4:
      return x > y || std::isnan(x) ? x : y;
    default:
      return x < y || std::isnan(x) ? x : y;
  }
}

}  // namespace

void binary(const binary_args& a) {
  for (int64_t i = 0; i < a.N; ++i)
    a.y.f32()[i] = static_cast<float>(apply(a.kind, a.a.f32()[i / a.a_repeat % a.A], a.b.f32()[i / a.b_repeat % a.B]));
}

}  // namespace lethe::reference
