// y[b] [M, N] = op(a[b % A]) op(b[b % B])
#include "cpu/gemm.h"
#include "cpu/operators.h"

namespace lethe::cpu {

void matmul(const matmul_args& a) {
  for (int64_t p = 0; p < a.P; ++p) {
    const Operand left{a.a.f32() + p % a.A * a.M * a.K, a.transpose_a ? a.M : a.K, a.transpose_a, false};
    const Operand right{a.b.f32() + p % a.B * a.K * a.N, a.transpose_b ? a.K : a.N, a.transpose_b, false};
    gemm({a.M, a.N, a.K}, left, right, {a.y.f32() + p * a.M * a.N, a.N});
  }
}

}  // namespace lethe::cpu
