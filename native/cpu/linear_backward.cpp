// dx [N, I] (+)= dy [N, O] weight [O, I]; dweight += dy^T x; dbias += column sums of dy.
// 4 N I O FLOP in oneDNN.
#include "cpu/kept_bf16.h"
#include "cpu/operators.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {

void linear_backward(const linear_backward_args& a) {
  Scratch scratch;
  const bool bf16 = a.x.bf16;
  const Operand dy = operand(a.dy, a.N, a.O, bf16, scratch);
  if (a.dx) {
    const Operand weight = weight_operand(a.weight, a.O, a.I, bf16, scratch);
    gemm({a.N, a.I, a.O, a.accumulate_dx}, dy, weight, result(a.dx, a.I));
  }
  if (a.dweight) {
    const Operand x = operand(a.x, a.N, a.I, bf16, scratch);
    gemm({a.O, a.I, a.N, true}, dy.t(), x, result(a.dweight, a.I));
  }
  if (a.dbias) kernels().add_column_sums(a.dy, a.N, a.O, a.dbias.f32());
}

}  // namespace lethe::cpu
