// sum_squares += sum of x^2, in fp64: x^2 of a finite gradient must not overflow before the caller has seen the norm.
// Fixed blocks, summed in order: the value does not depend on the threads.
#include "cpu/parallel.h"
#include "cpu/scratch.h"
#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

void global_norm(const global_norm_args& a) {
  constexpr int64_t block = 8192;
  const int64_t blocks = (a.N + block - 1) / block;
  const float* x = a.x.f32();
  Scratch scratch;
  double* partial = scratch.doubles(blocks);
  parallel_for(blocks > 2, blocks, [&](int64_t i) {
    const int64_t end = (i + 1) * block < a.N ? (i + 1) * block : a.N;
    double sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int64_t j = i * block; j < end; ++j) sum += static_cast<double>(x[j]) * static_cast<double>(x[j]);
    partial[i] = sum;
  });
  double total = static_cast<double>(*a.sum_squares.f32());
  for (int64_t i = 0; i < blocks; ++i) total += partial[i];
  *a.sum_squares.f32() = static_cast<float>(total);
}

}  // namespace lethe::cpu::LETHE_ISA
