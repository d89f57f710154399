// dweight[ids[n]] += dy[n]
#include <vector>

#include "core/check.h"
#include "reference/operators.h"

namespace lethe::reference {

void embedding_backward(const embedding_backward_args& a) {
  check_ids("embedding_backward", "ids", a.ids.i32(), a.N, 0, a.V);
  std::vector<double> sum(static_cast<size_t>(a.V * a.D));
  for (int64_t i = 0; i < a.V * a.D; ++i) sum[static_cast<size_t>(i)] = a.dweight.f32()[i];
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t d = 0; d < a.D; ++d) sum[static_cast<size_t>(a.ids.i32()[n] * a.D + d)] += a.dy.f32()[n * a.D + d];
  for (int64_t i = 0; i < a.V * a.D; ++i) a.dweight.f32()[i] = static_cast<float>(sum[static_cast<size_t>(i)]);
}

}  // namespace lethe::reference
