// dx = dsum + rstd (dy weight - x rstd^2 mean(dy weight x)); dweight += sum over rows of dy x rstd.
// dweight is summed over fixed groups of rows and then over groups, so its value does not depend on the threads.
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t max_groups = 64;

LETHE_INLINE double dot3(const float* a, const float* b, const float* c, int64_t D) {
  Vec sum = {};
  each_vector(
      0, D, [&](int64_t i) { sum = sum + load(a + i) * load(b + i) * load(c + i); },
      [&](int64_t i, int64_t n) { sum = sum + load_part(a + i, n) * load_part(b + i, n) * load_part(c + i, n); });
  return sum_lanes(sum);
}

void one_row(const rms_norm_backward_args& a, int64_t n, float* dweight) {
  const float *x = a.x.f32() + n * a.D, *dy = a.dy.f32() + n * a.D, *weight = a.weight.f32();
  const float rstd = a.rstd.f32()[n];
  const double mean = dot3(dy, weight, x, a.D) / static_cast<double>(a.D);
  const float pull = static_cast<float>(mean * rstd * rstd);
  float* dx = a.dx.f32() + n * a.D;
  if (dweight) map_range(0, a.D, dweight, [=](Vec g, Vec d, Vec v) { return g + d * (v * rstd); }, dweight, dy, x);
  if (a.dsum)
    map_range(
        0, a.D, dx, [=](Vec s, Vec d, Vec w, Vec v) { return s + rstd * (d * w - v * pull); }, a.dsum.f32() + n * a.D,
        dy, weight, x);
  else
    map_range(0, a.D, dx, [=](Vec d, Vec w, Vec v) { return rstd * (d * w - v * pull); }, dy, weight, x);
}

}  // namespace

void rms_norm_backward(const rms_norm_backward_args& a) {
  const int64_t groups = a.N < max_groups ? a.N : max_groups;
  Scratch scratch;
  float* partial = a.dweight ? scratch.floats(groups * a.D) : nullptr;
  parallel_for(a.N * a.D > 16384, groups, [&](int64_t g) {
    float* mine = partial ? partial + g * a.D : nullptr;
    if (mine) __builtin_memset(mine, 0, static_cast<size_t>(a.D) * 4);
    for (int64_t n = a.N * g / groups; n < a.N * (g + 1) / groups; ++n) one_row(a, n, mine);
  });
  if (partial) add_column_sums(partial, groups, a.D, a.dweight.f32());
}

}  // namespace lethe::cpu::LETHE_ISA
