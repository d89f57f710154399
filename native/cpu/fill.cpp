// y = value everywhere, in parallel: the threads that first touch a page are the ones that get it zeroed.
#include <algorithm>

#include "cpu/operators.h"

namespace lethe::cpu {

void fill(const fill_args& a) {
  constexpr int64_t block = 65536;
#pragma omp parallel for schedule(static) if (a.N > block)
  for (int64_t i = 0; i < a.N; i += block)
    std::fill_n(a.y.f32() + i, std::min(block, a.N - i), static_cast<float>(a.value));
}

}  // namespace lethe::cpu
