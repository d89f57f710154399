// y[p] = op(a[p % A]) op(b[p % B]) with op(a) [M, K] and op(b) [K, N], all fp32; not on the path of training.
#include "cuda/kernels/operators.h"
#include "cuda/runtime/context.h"

namespace lethe::cuda {

void matmul(Context& context, const matmul_args& a) {
  const Matrix left{a.a.data, a.transpose_a ? a.M : a.K, Type::f32, a.transpose_a};
  const Matrix right{a.b.data, a.transpose_b ? a.K : a.N, Type::f32, a.transpose_b};
  plain_gemm(context, "matmul", {a.M, a.N, a.K}, left, right, {a.y.data, a.N, Type::f32}, {a.P, a.A, a.B});
}

}  // namespace lethe::cuda
