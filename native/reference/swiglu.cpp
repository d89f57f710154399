// y = silu(gate) up, silu(x) = x / (1 + exp(-x))
#include <cmath>

#include "reference/operators.h"

namespace lethe::reference {

void swiglu(const swiglu_args& a) {
  for (int64_t i = 0; i < a.N * a.F; ++i) {
    const double gate = a.gate.f32()[i];
    a.y.f32()[i] = static_cast<float>(gate / (1 + std::exp(-gate)) * a.up.f32()[i]);
  }
}

}  // namespace lethe::reference
