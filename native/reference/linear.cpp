// y = x weight^T + bias
#include "reference/operators.h"

namespace lethe::reference {

void linear(const linear_args& a) {
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t o = 0; o < a.O; ++o) {
      double sum = a.bias ? a.bias.f32()[o] : 0;
      for (int64_t i = 0; i < a.I; ++i) sum += double{a.x.f32()[n * a.I + i]} * double{a.weight.f32()[o * a.I + i]};
      a.y.f32()[n * a.O + o] = static_cast<float>(sum);
    }
}

}  // namespace lethe::reference
