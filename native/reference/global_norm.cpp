// sum_squares += sum of x^2
#include "reference/operators.h"

namespace lethe::reference {

void global_norm(const global_norm_args& a) {
  double sum = *a.sum_squares.f32();
  for (int64_t i = 0; i < a.N; ++i) sum += double{a.x.f32()[i]} * a.x.f32()[i];
  *a.sum_squares.f32() = static_cast<float>(sum);
}

}  // namespace lethe::reference
