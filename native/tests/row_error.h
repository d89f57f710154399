// Sizes and errors of rows, as the error budget measures them (docs/math.md, section 5.3). Only finite elements count.
#pragma once
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace lethe::tests {

inline double largest(const float* x, size_t count) {
  double result = 0;
  for (size_t i = 0; i < count; ++i)
    if (std::isfinite(x[i])) result = std::max(result, std::fabs(double{x[i]}));
  return result;
}

// The largest error of any row, relative to the row's largest element.
inline double relative_error(const std::vector<float>& naive, const std::vector<float>& truth, size_t length) {
  double result = 0;
  for (size_t begin = 0; begin < truth.size(); begin += length) {
    const size_t end = std::min(begin + length, truth.size());
    const double size = largest(truth.data() + begin, end - begin);
    for (size_t i = begin; i < end && size > 1e-30; ++i)
      if (std::isfinite(naive[i]) && std::isfinite(truth[i]))
        result = std::max(result, std::fabs(double{naive[i]} - truth[i]) / size);
  }
  return result;
}

}  // namespace lethe::tests
