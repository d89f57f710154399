// A block that holds a row of D numbers in registers, eight by eight.
#pragma once
#include <cstdint>
#include <string>

#include "lethe/error.h"

namespace lethe::cuda {

inline constexpr int max_row_threads = 512, max_row_groups = 4;
inline constexpr int64_t max_row = int64_t{max_row_threads} * max_row_groups * 8;

// Whole warps, enough for one group of eight each where a block allows it.
inline unsigned row_threads(int64_t D) {
  const int64_t threads = (D + 255) / 256 * 32;
  return static_cast<unsigned>(threads < max_row_threads ? threads : max_row_threads);
}

inline void require_row(const char* op, int64_t D) {
  if (D > max_row)
    throw Error(
        Code::invalid_argument, op,
        "D: the CUDA device takes rows of up to " + std::to_string(max_row) + ", received " + std::to_string(D));
}

}  // namespace lethe::cuda
