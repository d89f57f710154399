// sum = x + residual; rstd = 1 / sqrt(mean(sum^2) + epsilon); y = sum * rstd * weight. One row per thread at a time,
// read once from memory and once more from cache. Hazard: the sum of squares, kept in `width` partial sums.
#include "cpu/parallel.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

// The sum of squares of the row, writing row = x + residual where they are given.
LETHE_INLINE double sum_squares(const float* x, const float* residual, float* row, int64_t D) {
  Vec squares = {};
  const auto add = [&](Vec v) {
    squares = squares + v * v;
    return v;
  };
  if (residual)
    map_range(0, D, row, [&](Vec v, Vec r) { return add(v + r); }, x, residual);
  else
    each_vector(
        0, D, [&](int64_t i) { add(load(x + i)); }, [&](int64_t i, int64_t count) { add(load_part(x + i, count)); });
  return sum_lanes(squares);
}

}  // namespace

void rms_norm(const rms_norm_args& a) {
  const float* weight = a.weight.f32();
  parallel_for(a.N * a.D > 16384, a.N, [&](int64_t n) {
    const float* x = a.x.f32() + n * a.D;
    float* y = a.y.f32() + n * a.D;
    float* row = a.sum ? a.sum.f32() + n * a.D : y;  // y holds the sum until it is scaled
    const double squares = sum_squares(x, a.residual ? a.residual.f32() + n * a.D : nullptr, row, a.D);
    if (!a.residual && a.sum) __builtin_memmove(row, x, static_cast<size_t>(a.D) * 4);
    const double mean = squares / static_cast<double>(a.D);
    const float rstd = static_cast<float>(1 / __builtin_sqrt(mean + a.epsilon));
    a.rstd.f32()[n] = rstd;
    map_range(0, a.D, y, [=](Vec s, Vec w) { return s * rstd * w; }, a.residual ? row : x, weight);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
