// y = value everywhere
#include <algorithm>

#include "reference/operators.h"

namespace lethe::reference {

void fill(const fill_args& a) { std::fill_n(a.y.f32(), a.N, static_cast<float>(a.value)); }

}  // namespace lethe::reference
