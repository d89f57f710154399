// y[y_offset + r y_stride + c] = x[x_offset + r x_stride + c]. Within one buffer the blocks may overlap: the block then
// goes through scratch, as if all of x were read first.
#include <cstring>

#include "cpu/operators.h"
#include "cpu/scratch.h"

namespace lethe::cpu {

void copy_block(const copy_block_args& a) {
  if (a.rows == 0 || a.cols == 0) return;  // offsets and strides may then be anything, and so may the stride of one row
  const int64_t size = a.x.bf16 ? 2 : 4;   // bytes of an element
  const char* x = static_cast<const char*>(a.x.data) + a.x_offset * size;
  char* y = static_cast<char*>(a.y.data) + a.y_offset * size;
  int64_t x_stride = a.rows == 1 ? 0 : a.x_stride * size;
  const int64_t y_stride = a.rows == 1 ? 0 : a.y_stride * size;
  const int64_t row = a.cols * size;
  Scratch scratch;
  if (a.x.data == a.y.data) {
    auto* block = static_cast<char*>(scratch.bytes(static_cast<size_t>(a.rows * row)));
    for (int64_t r = 0; r < a.rows; ++r) std::memcpy(block + r * row, x + r * x_stride, static_cast<size_t>(row));
    x = block;
    x_stride = row;
  }
  for (int64_t r = 0; r < a.rows; ++r) std::memcpy(y + r * y_stride, x + r * x_stride, static_cast<size_t>(row));
}

}  // namespace lethe::cpu
