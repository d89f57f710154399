// sum = x + residual; rstd = 1 / sqrt(mean(sum^2) + epsilon); y = sum * rstd * weight, row by row.
// The norm reads sum as it is stored, in fp32, so that the backward pass (which reads the stored one) is its
// derivative.
#include <cmath>
#include <vector>

#include "reference/operators.h"

namespace lethe::reference {

void rms_norm(const rms_norm_args& a) {
  std::vector<float> row(static_cast<size_t>(a.D));
  for (int64_t n = 0; n < a.N; ++n) {
    double squares = 0;
    for (int64_t d = 0; d < a.D; ++d) {
      const int64_t i = n * a.D + d;
      const float s = a.residual ? a.x.f32()[i] + a.residual.f32()[i] : a.x.f32()[i];
      row[static_cast<size_t>(d)] = s;
      squares += double{s} * s;
    }
    const double rstd = 1 / std::sqrt(squares / static_cast<double>(a.D) + a.epsilon);
    a.rstd.f32()[n] = static_cast<float>(rstd);
    for (int64_t d = 0; d < a.D; ++d) {
      const float s = row[static_cast<size_t>(d)];
      if (a.sum) a.sum.f32()[n * a.D + d] = s;
      a.y.f32()[n * a.D + d] = static_cast<float>(s * rstd * a.weight.f32()[d]);
    }
  }
}

}  // namespace lethe::reference
