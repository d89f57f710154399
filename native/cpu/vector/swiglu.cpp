// y = silu(gate) up = gate up / (1 + exp(-gate)). exp overflows to inf for gate < -88, where silu is 0 as it should be.
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

void swiglu(const swiglu_args& a) {
  with_element(a.y.bf16, [&](auto element) {
    using E = decltype(element);
    parallel_blocks(a.N * a.F, [&](int64_t begin, int64_t end) {
      const auto f = [](Vec gate, Vec up) { return gate / (1.0f + exp(-gate)) * up; };
      map_range(begin, end, row_of<E>(a.y, 0, 0), f, row_of<E>(a.gate, 0, 0), row_of<E>(a.up, 0, 0));
    });
  });
}

}  // namespace lethe::cpu::LETHE_ISA
