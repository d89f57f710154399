// y [N, O] = x [N, I] weight^T + bias, weight [O, I]. 2 N I O FLOP in oneDNN.
#include "cpu/kept_panels.h"
#include "cpu/operators.h"

namespace lethe::cpu {

void linear(const linear_args& a) {
  Scratch scratch;
  const Operand x = operand(a.x, a.N, a.I, a.x.bf16, scratch);
  const Operand weight = weight_operand(a.weight, {a.O, a.I, a.N, true, a.x.bf16}, scratch);
  gemm({a.N, a.O, a.I, false, a.bias.f32()}, x, weight, result(a.y, a.O));
}

}  // namespace lethe::cpu
