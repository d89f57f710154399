// y[y_offset + r y_stride + c] = x[x_offset + r x_stride + c] for r < rows, c < cols. Elements of 2 or 4 bytes.
#include "cuda/kernels/operators.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class Element>
__global__ void copy_block_kernel(const Element* x, Element* y, int64_t rows, int64_t cols, int64_t x_stride,
                                  int64_t y_stride) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < rows * cols;
       i += int64_t{gridDim.x} * blockDim.x)
    y[i / cols * y_stride + i % cols] = x[i / cols * x_stride + i % cols];
}

template <class Element>
void copy(Context& context, const copy_block_args& a) {
  launch(context.stream(), "copy_block", copy_block_kernel<Element>, elementwise(a.rows * a.cols * 8),
         static_cast<const Element*>(a.x.data) + a.x_offset, static_cast<Element*>(a.y.data) + a.y_offset, a.rows,
         a.cols, a.x_stride, a.y_stride);
}

}  // namespace

void copy_block(Context& context, const copy_block_args& a) {
  if (a.rows == 0 || a.cols == 0) return;
  if (a.y.bf16)
    copy<uint16_t>(context, a);
  else
    copy<uint32_t>(context, a);
}

}  // namespace lethe::cuda
