// y [N, O] = x [N, I] weight^T + bias, weight [O, I]. 2 N I O FLOP in oneDNN. Few rows, as in generation, are bound by
// reading the weights and go through packed_weights.
#include "cpu/kept_bf16.h"
#include "cpu/operators.h"
#include "cpu/packed_weights.h"

namespace lethe::cpu {

void linear(const linear_args& a) {
  if (packed_linear(a)) return;
  Scratch scratch;
  const Operand x = operand(a.x, a.N, a.I, a.x.bf16, scratch);
  const Operand weight = weight_operand(a.weight, a.O, a.I, a.x.bf16, scratch);
  gemm({a.N, a.O, a.I, false, a.bias.f32()}, x, weight.t(), result(a.y, a.O));
}

}  // namespace lethe::cpu
