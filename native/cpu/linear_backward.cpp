// dx [N, I] (+)= dy [N, O] weight [O, I]; dweight += dy^T x; dbias += column sums of dy. 4 N I O FLOP.
#include "cpu/kept_panels.h"
#include "cpu/operators.h"
#include "cpu/weight_gradient.h"

namespace lethe::cpu {

void linear_backward(const linear_backward_args& a) {
  Scratch scratch;
  const bool bf16 = a.x.bf16;
  const Operand dy = operand(a.dy, a.N, a.O, bf16, scratch);
  if (a.dx) {
    const Operand weight = weight_operand(a.weight, {a.O, a.I, a.N, false, bf16}, scratch);
    gemm({a.N, a.I, a.O, a.accumulate_dx}, dy, weight, result(a.dx, a.I));
  }
  if (a.dweight) add_weight_gradient(a.N, {a.O, a.I}, dy, operand(a.x, a.N, a.I, bf16, scratch), a.dweight.f32());
  if (a.dbias) kernels().add_column_sums(a.dy, a.N, a.O, a.dbias.f32());
}

}  // namespace lethe::cpu
