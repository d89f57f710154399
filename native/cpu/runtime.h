// What the CPU device found on this machine, and how many threads it uses.
#pragma once
#include <string>

namespace lethe::cpu {

struct Runtime {
  // avx512, avx2 or generic. The environment variable LETHE_SIMD may ask for less than there is; avx512 then means
  // without bf16 instructions.
  std::string simd;
  bool bf16;           // matrix products in bf16 run on bf16 instructions; otherwise inputs are rounded and fp32 used
  bool panels;         // oneDNN multiplies by matrices packed in panels of 64 columns: with AVX-512
  std::string onednn;  // version
};
const Runtime& runtime();

// From now on, vector code for at most this instruction set: for tests and comparisons, between operators only.
void limit_simd(const std::string& limit);

// For operators called from this thread. Results are bit-identical for the same count.
void set_num_threads(int count);
int num_threads();

}  // namespace lethe::cpu
