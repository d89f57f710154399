// total[c] += sum over r of x[r, c]: the gradients of biases. Threads own column ranges, so the order of the sum over
// rows never depends on their number.
#include "cpu/parallel.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

namespace {

template <class E>
void run(const E* x, int64_t rows, int64_t cols, float* total) {
  constexpr int64_t slice = 4 * width;
  parallel_for(rows * cols > 16384, (cols + slice - 1) / slice, [&](int64_t i) {
    const int64_t c = i * slice, count = cols - c < slice ? cols - c : slice;
    double sum[slice] = {};
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t v = 0; v < count; v += width) {
        const E* from = x + r * cols + c + v;
        const int64_t here = count - v < width ? count - v : width;
        const Vec part = here == width ? load(from) : load_part(from, here);
        for (int64_t j = 0; j < here; ++j) sum[v + j] += static_cast<double>(part[j]);
      }
    for (int64_t j = 0; j < count; ++j) total[c + j] += static_cast<float>(sum[j]);
  });
}

}  // namespace

void add_column_sums(const Tensor& x, int64_t rows, int64_t cols, float* total) {
  with_element(x.bf16, [&](auto element) { run(row_of<decltype(element)>(x, 0, 0), rows, cols, total); });
}

}  // namespace lethe::cpu::LETHE_ISA
