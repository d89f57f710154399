// dx [N, I] (+)= dy [N, O] weight [O, I]; dweight += dy^T x; dbias += column sums of dy (in fp32, whatever bf16 says).
// 4 N I O FLOP in oneDNN.
#include "cpu/kept_bf16.h"
#include "cpu/operators.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {

void linear_backward(const linear_backward_args& a) {
  Scratch scratch;
  const Operand dy = operand(a.dy.f32(), a.N, a.O, a.bf16 && (a.dx || a.dweight), scratch);
  if (a.dx) {
    const Operand weight = weight_operand(a.weight, a.O, a.I, a.bf16, scratch);
    gemm({a.N, a.I, a.O, a.accumulate_dx}, dy, weight, a.dx.f32(), a.I);
  }
  if (a.dweight) {
    const Operand x = activation_operand(a.x, a.N, a.I, a.bf16, scratch);
    gemm({a.O, a.I, a.N, true}, dy.t(), x, a.dweight.f32(), a.I);
  }
  if (a.dbias) kernels().add_column_sums(a.dy.f32(), a.N, a.O, a.dbias.f32());
}

}  // namespace lethe::cpu
