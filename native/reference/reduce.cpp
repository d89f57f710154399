// x seen as [O, D, I] is reduced over D: sum, mean or max. An empty sum is 0; max passes NaN on.
#include <cmath>
#include <limits>

#include "reference/operators.h"

namespace lethe::reference {

void reduce(const reduce_args& a) {
  for (int64_t o = 0; o < a.O; ++o)
    for (int64_t i = 0; i < a.I; ++i) {
      double sum = 0, max = -std::numeric_limits<double>::infinity();
      for (int64_t d = 0; d < a.D; ++d) {
        const double x = a.x.f32()[(o * a.D + d) * a.I + i];
        sum += x;
        if (x > max || std::isnan(x)) max = x;
      }
      if (a.kind == 1) sum /= static_cast<double>(a.D);
      a.y.f32()[o * a.I + i] = static_cast<float>(a.kind == 2 ? max : sum);
    }
}

}  // namespace lethe::reference
