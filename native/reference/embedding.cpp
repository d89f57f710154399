// y[n] = weight[ids[n]]
#include "core/check.h"
#include "reference/operators.h"

namespace lethe::reference {

void embedding(const embedding_args& a) {
  check_ids("embedding", "ids", a.ids.i32(), a.N, 0, a.V);
  for (int64_t n = 0; n < a.N; ++n)
    for (int64_t d = 0; d < a.D; ++d) a.y.f32()[n * a.D + d] = a.weight.f32()[a.ids.i32()[n] * a.D + d];
}

}  // namespace lethe::reference
