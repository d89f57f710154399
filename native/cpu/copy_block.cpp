// y[y_offset + r y_stride + c] = x[x_offset + r x_stride + c]. Within one buffer the blocks may overlap: the block then
// goes through scratch, as if all of x were read first.
#include <cstring>

#include "cpu/operators.h"
#include "cpu/scratch.h"

namespace lethe::cpu {

void copy_block(const copy_block_args& a) {
  const float* x = a.x.f32() + a.x_offset;
  int64_t x_stride = a.x_stride;
  const auto row = static_cast<size_t>(a.cols) * 4;
  Scratch scratch;
  if (a.x.data == a.y.data) {
    float* block = scratch.floats(a.rows * a.cols);
    for (int64_t r = 0; r < a.rows; ++r) std::memcpy(block + r * a.cols, x + r * x_stride, row);
    x = block;
    x_stride = a.cols;
  }
  for (int64_t r = 0; r < a.rows; ++r) std::memcpy(a.y.f32() + a.y_offset + r * a.y_stride, x + r * x_stride, row);
}

}  // namespace lethe::cpu
