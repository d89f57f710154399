// dx = dy weight (added to dx when accumulate_dx); dweight += dy^T x; dbias += column sums of dy.
// x, dx [N, I], weight, dweight [O, I], dy [N, O], dbias [O]: two matrix products, whose second adds to the fp32
// gradient. dbias is summed over fixed groups of rows and then over groups.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/column_sums.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int64_t most_groups = 64;

template <class T>
__global__ void group_sums_kernel(const T* dy, int64_t N, int64_t O, float* partial) {
  const int64_t o = int64_t{blockIdx.x} * blockDim.x + threadIdx.x, g = blockIdx.y, groups = gridDim.y;
  if (o >= O) return;
  float sum = 0;
  for (int64_t n = N * g / groups; n < N * (g + 1) / groups; ++n) sum += to_float(dy[n * O + o]);
  partial[g * O + o] = sum;
}

void add_dbias(Context& context, const linear_backward_args& a, Scratch& scratch) {
  const int64_t groups = a.N < most_groups ? a.N : most_groups;
  if (groups == 0 || a.O == 0) return;
  auto* partial = scratch.of<float>(groups * a.O);
  with_type(a.dy.bf16, [&](auto zero) {
    using T = decltype(zero);
    launch(context.stream(), "linear_backward", group_sums_kernel<T>,
           {dim3(static_cast<unsigned>((a.O + 127) / 128), static_cast<unsigned>(groups)), dim3(128)}, data_of<T>(a.dy),
           a.N, a.O, partial);
  });
  add_column_sums(context, "linear_backward", partial, groups, a.O, a.dbias.f32());
}

}  // namespace

void linear_backward(Context& context, const linear_backward_args& a) {
  Scratch scratch(context.workspace());
  const Type type = a.x.bf16 ? Type::bf16 : Type::f32;
  const Matrix dy{a.dy.data, a.O, type};
  if (a.dx) {
    const void* weight = a.x.bf16 ? bf16_weight(context, a.weight, a.O * a.I, scratch)
                                  : fp32_weight(context, a.weight, a.O * a.I, scratch);
    gemm(context, "linear_backward", {a.N, a.I, a.O, 1, a.accumulate_dx ? 1.0F : 0.0F}, dy, {weight, a.I, type},
         {a.dx.data, a.I, type});
  }
  if (a.dweight)
    gemm(context, "linear_backward", {a.O, a.I, a.N, 1, 1}, dy.t(), {a.x.data, a.I, type},
         {a.dweight.data, a.I, Type::f32});
  if (a.dbias) add_dbias(context, a, scratch);
}

}  // namespace lethe::cuda
