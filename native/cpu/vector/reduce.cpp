// x seen as [O, D, I] is reduced over D: sum, mean or max, sums in fp64. Threads share out the outputs, so the order of
// a sum never depends on them. An empty sum is 0; max passes NaN on.
#include "cpu/parallel.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t slice = 64;

LETHE_INLINE float larger(float x, float y) { return x > y || x != x ? x : y; }

void reduce_contiguous(const reduce_args& a, int64_t o) {
  const float* x = a.x.f32() + o * a.D;
  double sum = 0;
  float max = -__builtin_inff();
  if (a.kind == 2) {
    for (int64_t d = 0; d < a.D; ++d) max = larger(x[d], max);
  } else {
#pragma omp simd reduction(+ : sum)
    for (int64_t d = 0; d < a.D; ++d) sum += static_cast<double>(x[d]);
  }
  a.y.f32()[o] = a.kind == 2 ? max : static_cast<float>(a.kind == 1 ? sum / static_cast<double>(a.D) : sum);
}

// Columns begin .. begin + count of outer index o.
void reduce_columns(const reduce_args& a, int64_t o, int64_t begin, int64_t count) {
  const float* x = a.x.f32() + o * a.D * a.I + begin;
  float* y = a.y.f32() + o * a.I + begin;
  double sum[slice] = {};
  float max[slice];
  for (int64_t i = 0; i < count; ++i) max[i] = -__builtin_inff();
  for (int64_t d = 0; d < a.D; ++d, x += a.I)
    if (a.kind == 2)
      for (int64_t i = 0; i < count; ++i) max[i] = larger(x[i], max[i]);
    else
      for (int64_t i = 0; i < count; ++i) sum[i] += static_cast<double>(x[i]);
  const double scale = a.kind == 1 ? 1 / static_cast<double>(a.D) : 1;
  for (int64_t i = 0; i < count; ++i) y[i] = a.kind == 2 ? max[i] : static_cast<float>(sum[i] * scale);
}

}  // namespace

void reduce(const reduce_args& a) {
  const int64_t slices = (a.I + slice - 1) / slice;
  parallel_for(a.O * a.D * a.I > 16384, a.O * slices, [&](int64_t i) {
    const int64_t o = i / slices, begin = i % slices * slice;
    if (a.I == 1)
      reduce_contiguous(a, o);
    else
      reduce_columns(a, o, begin, a.I - begin < slice ? a.I - begin : slice);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
