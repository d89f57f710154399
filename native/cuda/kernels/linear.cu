// y = x weight^T + bias. x [N, I], weight [O, I], bias [O], y [N, O]: a matrix product. Where there is a bias and y is
// bf16, the product goes through fp32, so that only the sum is rounded.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
__global__ void add_bias_kernel(const float* product, const float* bias, T* y, int64_t count, int64_t O) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x)
    from_float(product[i] + bias[i % O], y[i]);
}

}  // namespace

void linear(Context& context, const linear_args& a) {
  Scratch scratch(context.workspace());
  const Type type = a.x.bf16 ? Type::bf16 : Type::f32, y_type = a.y.bf16 ? Type::bf16 : Type::f32;
  const void* weight = a.x.bf16 ? bf16_weight(context, a.weight, a.O * a.I, scratch)
                                : fp32_weight(context, a.weight, a.O * a.I, scratch);
  Product y{a.y.data, a.O, y_type};
  if (a.bias && a.y.bf16) y = {scratch.of<float>(a.N * a.O), a.O, Type::f32};
  gemm(context, "linear", {a.N, a.O, a.I}, {a.x.data, a.I, type}, Matrix{weight, a.I, type}.t(), y);
  if (!a.bias) return;
  with_type(a.y.bf16, [&](auto zero) {
    using T = decltype(zero);
    launch(context.stream(), "linear", add_bias_kernel<T>, elementwise(a.N * a.O * 8),
           static_cast<const float*>(y.data), a.bias.f32(), data_of<T>(a.y), a.N * a.O, a.O);
  });
}

}  // namespace lethe::cuda
