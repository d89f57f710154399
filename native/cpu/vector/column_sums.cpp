// total[c] += sum over r of x[r, c]: the gradients of biases. Threads own column ranges, so the order of the sum over
// rows never depends on their number.
#include "cpu/parallel.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {

void add_column_sums(const float* x, int64_t rows, int64_t cols, float* total) {
  constexpr int64_t slice = 4 * width;
  parallel_for(rows * cols > 16384, (cols + slice - 1) / slice, [&](int64_t i) {
    const int64_t c = i * slice, count = cols - c < slice ? cols - c : slice;
    double sum[slice] = {};
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < count; ++j) sum[j] += static_cast<double>(x[r * cols + c + j]);
    for (int64_t j = 0; j < count; ++j) total[c + j] += static_cast<float>(sum[j]);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
