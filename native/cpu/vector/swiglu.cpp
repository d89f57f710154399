// y = silu(gate) up = gate up / (1 + exp(-gate)). exp overflows to inf for gate < -88, where silu is 0 as it should be.
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

void swiglu(const swiglu_args& a) {
  parallel_blocks(a.N * a.F, [&](int64_t begin, int64_t end) {
    map_range(
        begin, end, a.y.f32(), [](Vec gate, Vec up) { return gate / (1.0f + exp(-gate)) * up; }, a.gate.f32(),
        a.up.f32());
  });
}

}  // namespace lethe::cpu::LETHE_ISA
