// With s = sigmoid(gate): dup = dy gate s; dgate = dy up s (1 + gate (1 - s)). 1 - s is computed as sigmoid(-gate),
// which does not cancel; e = exp(-|gate|) never overflows.
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

namespace {

template <class E>
void run(const swiglu_backward_args& a) {
  const E *gates = row_of<E>(a.gate, 0, 0), *ups = row_of<E>(a.up, 0, 0), *dys = row_of<E>(a.dy, 0, 0);
  E *dgates = row_of<E>(a.dgate, 0, 0), *dups = row_of<E>(a.dup, 0, 0);
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
          store(dgates + i, dgate);
          store(dups + i, dup);
        },
        [&](int64_t i, int64_t n) {
          compute(load_part(gates + i, n), load_part(ups + i, n), load_part(dys + i, n), dgate, dup);
          store_part(dgates + i, dgate, n);
          store_part(dups + i, dup, n);
        });
  });
}

}  // namespace

void swiglu_backward(const swiglu_backward_args& a) {
  with_element(a.dy.bf16, [&](auto element) { run<decltype(element)>(a); });
}

}  // namespace lethe::cpu::LETHE_ISA
