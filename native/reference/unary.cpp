// y[i] = f(x[i]); the kinds are those of the table.
#include <algorithm>
#include <cmath>

#include "reference/operators.h"

namespace lethe::reference {
namespace {

double apply(int64_t kind, double x) {
  switch (kind) {
    case 0:
      return -x;
    case 1:
      return x * x;
    case 2:
      return std::exp(x);
    case 3:
      return std::log(x);
    case 4:
      return std::sqrt(x);
    case 5:
      return 1 / std::sqrt(x);
    case 6:
      return 1 / x;
    case 7:
      return std::fabs(x);
    case 8:
      return x < 0 ? 0 : x;
    case 9:
      return 1 / (1 + std::exp(-x));
    case 10:
      return std::tanh(x);
    case 11:
      return x > 0 ? 1 : 0;
    default:
      return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
  }
}

}  // namespace

void unary(const unary_args& a) {
  std::transform(a.x.f32(), a.x.f32() + a.N, a.y.f32(), [&](float x) { return static_cast<float>(apply(a.kind, x)); });
}

}  // namespace lethe::reference
