// y[i] = x[i], from fp32 to bf16 (to nearest, ties to even) or back, or a copy. Also makes the 2-byte copies of weights
// that matrix products read. x, y [N]: one read, one write.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class X, class Y>
__global__ void convert_kernel(const X* x, Y* y, int64_t N, bool wide) {
  for (int64_t i = first_of_thread(); i < N; i += step_of_grid()) {
    float v[8];
    load_part(x, i, N, wide, v);
    store_part(y, i, N, wide, v);
  }
}

template <class X, class Y>
void convert_array(Context& context, const X* x, Y* y, int64_t N) {
  launch(context.stream(), "convert", convert_kernel<X, Y>, elementwise(N), x, y, N, are_aligned(x, y));
}

}  // namespace

void convert(Context& context, const convert_args& a) {
  with_type(a.x.bf16, [&](auto from) {
    with_type(a.y.bf16,
              [&](auto to) { convert_array(context, data_of<decltype(from)>(a.x), data_of<decltype(to)>(a.y), a.N); });
  });
}

const void* bf16_weight(Context& context, const Tensor& x, int64_t count, Scratch& scratch) {
  if (x.bf16) return x.data;
  if (x.buffer == 0) {
    auto* copy = scratch.of<Bf16>(count);
    convert_array(context, x.f32(), copy, count);
    return copy;
  }
  const KeptCopies::Copy copy = context.copies().of(x, CopyKind::bf16, static_cast<size_t>(count) * 2);
  if (!copy.is_current) convert_array(context, x.f32(), static_cast<Bf16*>(copy.data), count);
  return copy.data;
}

const float* fp32_weight(Context& context, const Tensor& x, int64_t count, Scratch& scratch) {
  if (!x.bf16) return x.f32();
  auto* copy = scratch.of<float>(count);
  convert_array(context, data_of<Bf16>(x), copy, count);
  return copy;
}

}  // namespace lethe::cuda
