// dx = dsum + rstd (dy weight - x rstd^2 mean(dy weight x)); dweight += sum over rows of dy x rstd.
#include <vector>

#include "reference/operators.h"

namespace lethe::reference {

void rms_norm_backward(const rms_norm_backward_args& a) {
  std::vector<double> dweight(static_cast<size_t>(a.D));
  for (int64_t n = 0; n < a.N; ++n) {
    const float* x = a.x.f32() + n * a.D;
    const float* dy = a.dy.f32() + n * a.D;
    const double rstd = a.rstd.f32()[n];
    double dot = 0;
    for (int64_t d = 0; d < a.D; ++d) dot += double{dy[d]} * a.weight.f32()[d] * x[d];
    const double mean = dot / static_cast<double>(a.D);
    for (int64_t d = 0; d < a.D; ++d) {
      const int64_t i = n * a.D + d;
      const double past = a.dsum ? a.dsum.f32()[i] : 0;
      a.dx.f32()[i] = static_cast<float>(past + rstd * (double{dy[d]} * a.weight.f32()[d] - x[d] * rstd * rstd * mean));
      dweight[static_cast<size_t>(d)] += dy[d] * rstd * x[d];
    }
  }
  if (!a.dweight) return;
  for (int64_t d = 0; d < a.D; ++d)
    a.dweight.f32()[d] = static_cast<float>(a.dweight.f32()[d] + dweight[static_cast<size_t>(d)]);
}

}  // namespace lethe::reference
