// dx = dsum + rstd (dy weight - x rstd^2 mean(dy weight x)); dweight += sum over rows of dy x rstd.
// dweight is summed over fixed groups of rows and then over groups, so its value does not depend on the threads.
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t max_groups = 64;

// The sum of dy weight x.
template <class E>
LETHE_INLINE double dot3(const E* dy, const float* weight, const E* x, int64_t D) {
  Vec sum = {};
  each_vector(
      0, D, [&](int64_t i) { sum = sum + load(dy + i) * load(weight + i) * load(x + i); },
      [&](int64_t i, int64_t n) { sum = sum + load_part(dy + i, n) * load_part(weight + i, n) * load_part(x + i, n); });
  return sum_lanes(sum);
}

template <class E>
void one_row(const rms_norm_backward_args& a, int64_t n, float* dweight) {
  const E *x = row_of<E>(a.x, n, a.D), *dy = row_of<E>(a.dy, n, a.D), *dsum = row_of<E>(a.dsum, n, a.D);
  const float *weight = a.weight.f32(), rstd = a.rstd.f32()[n];
  const double mean = dot3(dy, weight, x, a.D) / static_cast<double>(a.D);
  const float pull = static_cast<float>(mean * rstd * rstd);
  E* dx = row_of<E>(a.dx, n, a.D);
  if (dweight) map_range(0, a.D, dweight, [=](Vec g, Vec d, Vec v) { return g + d * (v * rstd); }, dweight, dy, x);
  if (dsum)
    map_range(
        0, a.D, dx, [=](Vec s, Vec d, Vec w, Vec v) { return s + rstd * (d * w - v * pull); }, dsum, dy, weight, x);
  else
    map_range(0, a.D, dx, [=](Vec d, Vec w, Vec v) { return rstd * (d * w - v * pull); }, dy, weight, x);
}

template <class E>
void run(const rms_norm_backward_args& a) {
  const int64_t groups = a.N < max_groups ? a.N : max_groups;
  Scratch scratch;
  float* partial = a.dweight ? scratch.floats(groups * a.D) : nullptr;
  parallel_for(a.N * a.D > 16384, groups, [&](int64_t g) {
    float* mine = partial ? partial + g * a.D : nullptr;
    if (mine) __builtin_memset(mine, 0, static_cast<size_t>(a.D) * 4);
    for (int64_t n = a.N * g / groups; n < a.N * (g + 1) / groups; ++n) one_row<E>(a, n, mine);
  });
  if (partial) add_column_sums({partial}, groups, a.D, a.dweight.f32());
}

}  // namespace

void rms_norm_backward(const rms_norm_backward_args& a) {
  with_element(a.x.bf16, [&](auto element) { run<decltype(element)>(a); });
}

}  // namespace lethe::cpu::LETHE_ISA
