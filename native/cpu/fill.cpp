// y = value everywhere, in parallel: the threads that first touch a page are the ones that get it zeroed.
#include <algorithm>

#include "cpu/operators.h"
#include "cpu/parallel.h"

namespace lethe::cpu {

void fill(const fill_args& a) {
  constexpr int64_t block = 65536;
  parallel_for(a.N > block, (a.N + block - 1) / block, [&](int64_t i) {
    std::fill_n(a.y.f32() + i * block, std::min(block, a.N - i * block), static_cast<float>(a.value));
  });
}

}  // namespace lethe::cpu
