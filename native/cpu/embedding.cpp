// y[n] = weight[ids[n]]: copies of rows, bound by memory.
#include <cstring>

#include "core/check.h"
#include "cpu/operators.h"
#include "cpu/parallel.h"

namespace lethe::cpu {

void embedding(const embedding_args& a) {
  const int32_t* ids = a.ids.i32();
  check_ids("embedding", "ids", ids, a.N, 0, a.V);
  parallel_for(a.N * a.D > 16384, a.N, [&](int64_t n) {
    std::memcpy(a.y.f32() + n * a.D, a.weight.f32() + ids[n] * a.D, static_cast<size_t>(a.D) * 4);
  });
}

}  // namespace lethe::cpu
