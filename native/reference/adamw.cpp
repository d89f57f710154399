// AdamW (Loshchilov & Hutter 2019), with PyTorch's order: decay first, bias corrections outside the root.
#include <cmath>

#include "reference/operators.h"

namespace lethe::reference {

void adamw(const adamw_args& a) {
  const auto step = static_cast<double>(a.step);
  const double correction1 = 1 - std::pow(a.beta1, step), correction2 = 1 - std::pow(a.beta2, step);
  for (int64_t i = 0; i < a.N; ++i) {
    const double g = a.grad.f32()[i] * a.grad_scale;
    const double m = a.beta1 * a.m.f32()[i] + (1 - a.beta1) * g;
    const double v = a.beta2 * a.v.f32()[i] + (1 - a.beta2) * g * g;
    const double decayed = a.param.f32()[i] * (1 - a.lr * a.weight_decay);
    a.param.f32()[i] =
        static_cast<float>(decayed - a.lr * (m / correction1) / (std::sqrt(v / correction2) + a.epsilon));
    a.m.f32()[i] = static_cast<float>(m);
    a.v.f32()[i] = static_cast<float>(v);
  }
}

}  // namespace lethe::reference
