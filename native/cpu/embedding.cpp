// y[n] = weight[ids[n]]: copies of rows, bound by memory.
#include "core/check.h"
#include "cpu/convert.h"
#include "cpu/operators.h"
#include "cpu/parallel.h"

namespace lethe::cpu {

void embedding(const embedding_args& a) {
  const int32_t* ids = a.ids.i32();
  check_ids("embedding", "ids", ids, a.N, 0, a.V);
  parallel_for(a.N * a.D > 16384, a.N, [&](int64_t n) { copy(row(a.weight, ids[n], a.D), row(a.y, n, a.D), a.D); });
}

}  // namespace lethe::cpu
