// dweight[ids[n]] += dy[n], in row order. Threads own column ranges, so repeated ids never race and the order of the
// sum never depends on the number of threads.
#include "core/check.h"
#include "cpu/parallel.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

void embedding_backward(const embedding_backward_args& a) {
  const int32_t* ids = a.ids.i32();
  check_ids("embedding_backward", "ids", ids, a.N, 0, a.V);
  constexpr int64_t slice = 64;
  parallel_for(a.N * a.D > 16384, (a.D + slice - 1) / slice, [&](int64_t i) {
    const int64_t c = i * slice, end = c + slice < a.D ? c + slice : a.D;
    for (int64_t n = 0; n < a.N; ++n) {
      float* to = a.dweight.f32() + ids[n] * a.D;
      with_element(a.dy.bf16, [&](auto element) {
        map_range(c, end, to, [](Vec w, Vec dy) { return w + dy; }, to, row_of<decltype(element)>(a.dy, n, a.D));
      });
    }
  });
}

}  // namespace lethe::cpu::LETHE_ISA
