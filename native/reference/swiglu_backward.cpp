// With s = sigmoid(gate): dup = dy gate s; dgate = dy up s (1 + gate (1 - s)).
#include <cmath>

#include "reference/operators.h"

namespace lethe::reference {

void swiglu_backward(const swiglu_backward_args& a) {
  for (int64_t i = 0; i < a.N * a.F; ++i) {
    const double gate = a.gate.f32()[i], up = a.up.f32()[i], dy = a.dy.f32()[i];
    const double s = 1 / (1 + std::exp(-gate)), complement = 1 / (1 + std::exp(gate));
    a.dgate.f32()[i] = static_cast<float>(dy * up * s * (1 + gate * complement));
    a.dup.f32()[i] = static_cast<float>(dy * gate * s);
  }
}

}  // namespace lethe::reference
