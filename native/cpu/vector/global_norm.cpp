// sum_squares += sum of x^2, in fp64: x^2 of a finite gradient must not overflow before the caller has seen the norm.
// Fixed blocks, summed in order: the value does not depend on the threads.
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/operators.h"
#include "cpu/vector/simd.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

typedef double WideVec __attribute__((vector_size(width * 8)));

}  // namespace

void global_norm(const global_norm_args& a) {
  constexpr int64_t block = 8192;
  const int64_t blocks = (a.N + block - 1) / block;
  const float* x = a.x.f32();
  Scratch scratch;
  double* partial = scratch.doubles(blocks);
  parallel_for(blocks > 2, blocks, [&](int64_t i) {
    const int64_t end = (i + 1) * block < a.N ? (i + 1) * block : a.N;
    WideVec sum[2] = {};
    int64_t j = i * block;
    for (; j + 2 * width <= end; j += 2 * width)
      for (int64_t k = 0; k < 2; ++k) {
        const WideVec wide = __builtin_convertvector(load(x + j + k * width), WideVec);
        sum[k] += wide * wide;
      }
    double total = 0;
    for (; j < end; ++j) total += static_cast<double>(x[j]) * static_cast<double>(x[j]);
    sum[0] += sum[1];
    for (int64_t k = 0; k < width; ++k) total += sum[0][k];
    partial[i] = total;
  });
  double total = static_cast<double>(*a.sum_squares.f32());
  for (int64_t i = 0; i < blocks; ++i) total += partial[i];
  *a.sum_squares.f32() = static_cast<float>(total);
}

}  // namespace lethe::cpu::LETHE_ISA
