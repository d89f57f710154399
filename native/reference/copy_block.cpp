// y[y_offset + r y_stride + c] = x[x_offset + r x_stride + c], as if all of x were read before y is written.
#include <vector>

#include "reference/operators.h"

namespace lethe::reference {

void copy_block(const copy_block_args& a) {
  if (a.cols == 0) return;  // however many rows
  std::vector<int32_t> block;
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t c = 0; c < a.cols; ++c) block.push_back(a.x.i32()[a.x_offset + r * a.x_stride + c]);
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t c = 0; c < a.cols; ++c)
      a.y.i32()[a.y_offset + r * a.y_stride + c] = block[static_cast<size_t>(r * a.cols + c)];
}

}  // namespace lethe::reference
