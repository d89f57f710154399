// With s = sigmoid(gate): dup = dy gate s; dgate = dy up s (1 + gate (1 - s)). 1 - s is computed as sigmoid(-gate),
// which does not cancel; e = exp(-|gate|) never overflows.
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

void swiglu_backward(const swiglu_backward_args& a) {
  const float *gates = a.gate.f32(), *ups = a.up.f32(), *dys = a.dy.f32();
  parallel_blocks(a.N * a.F, [&](int64_t begin, int64_t end) {
    const auto compute = [](Vec gate, Vec up, Vec dy, Vec& dgate, Vec& dup) {
      const Vec e = exp(gate > 0.0f ? -gate : gate), large = 1.0f / (1.0f + e), small = e * large;
      const Vec s = gate > 0.0f ? large : small, complement = gate > 0.0f ? small : large;
      dup = dy * gate * s;
      dgate = dy * up * s * (1.0f + gate * complement);
    };
    Vec dgate, dup;
    each_vector(
        begin, end,
        [&](int64_t i) {
          compute(load(gates + i), load(ups + i), load(dys + i), dgate, dup);
          store(a.dgate.f32() + i, dgate);
          store(a.dup.f32() + i, dup);
        },
        [&](int64_t i, int64_t n) {
          compute(load_part(gates + i, n), load_part(ups + i, n), load_part(dys + i, n), dgate, dup);
          store_part(a.dgate.f32() + i, dgate, n);
          store_part(a.dup.f32() + i, dup, n);
        });
  });
}

}  // namespace lethe::cpu::LETHE_ISA
