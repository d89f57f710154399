// sum = x + residual; rstd = 1 / sqrt(mean(sum^2) + epsilon); y = sum * rstd * weight. One row per thread at a time,
// read once from memory and once more from cache. Hazard: the sum of squares, kept in `width` partial sums. The norm
// reads the sum as it is stored, so that the backward pass is its derivative.
#include "cpu/parallel.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

template <class E>
LETHE_INLINE double sum_squares(const E* row, int64_t D) {
  Vec squares = {};
  const auto add = [&](Vec v) { squares = squares + v * v; };
  each_vector(
      0, D, [&](int64_t i) { add(load(row + i)); }, [&](int64_t i, int64_t count) { add(load_part(row + i, count)); });
  return sum_lanes(squares);
}

template <class E>
void run(const rms_norm_args& a) {
  const float* weight = a.weight.f32();
  parallel_for(a.N * a.D > 16384, a.N, [&](int64_t n) {
    const E *x = row_of<E>(a.x, n, a.D), *residual = row_of<E>(a.residual, n, a.D);
    E *y = row_of<E>(a.y, n, a.D), *sum = row_of<E>(a.sum, n, a.D);
    if (!sum) sum = y;  // y holds the sum until it is scaled
    if (residual)
      map_range(0, a.D, sum, [](Vec v, Vec r) { return v + r; }, x, residual);
    else if (a.sum)
      __builtin_memmove(sum, x, static_cast<size_t>(a.D) * sizeof(E));
    const E* row = residual ? sum : x;
    const double mean = sum_squares(row, a.D) / static_cast<double>(a.D);
    const float rstd = static_cast<float>(1 / __builtin_sqrt(mean + a.epsilon));
    a.rstd.f32()[n] = rstd;
    map_range(0, a.D, y, [=](Vec s, Vec w) { return s * rstd * w; }, row, weight);
  });
}

}  // namespace

void rms_norm(const rms_norm_args& a) {
  with_element(a.x.bf16, [&](auto element) { run<decltype(element)>(a); });
}

}  // namespace lethe::cpu::LETHE_ISA
