// y[b] = op(a[b % A]) op(b[b % B])
#include "reference/operators.h"

namespace lethe::reference {

void matmul(const matmul_args& a) {
  for (int64_t p = 0; p < a.P; ++p) {
    const float* left = a.a.f32() + p % a.A * a.M * a.K;
    const float* right = a.b.f32() + p % a.B * a.K * a.N;
    for (int64_t m = 0; m < a.M; ++m)
      for (int64_t n = 0; n < a.N; ++n) {
        double sum = 0;
        for (int64_t k = 0; k < a.K; ++k)
          sum += double{left[a.transpose_a ? k * a.M + m : m * a.K + k]} *
                 right[a.transpose_b ? n * a.K + k : k * a.N + n];
        a.y.f32()[(p * a.M + m) * a.N + n] = static_cast<float>(sum);
      }
  }
}

}  // namespace lethe::reference
