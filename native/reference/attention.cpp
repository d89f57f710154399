// y = softmax(scale q k^T) v over the key rows first..last of each query; lse = log sum exp of the scaled scores.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "reference/operators.h"

namespace lethe::reference {

void attention(const attention_args& a) {
  check_ranges("attention", a.first.i32(), a.last.i32(), a.B * a.T, a.S);
  std::vector<double> y(static_cast<size_t>(a.D));
  for (int64_t b = 0; b < a.B; ++b)
    for (int64_t t = 0; t < a.T; ++t)
      for (int64_t h = 0; h < a.H; ++h) {
        const int64_t first = a.first.i32()[b * a.T + t], last = a.last.i32()[b * a.T + t];
        const int64_t query = ((b * a.T + t) * a.H + h) * a.D, group = h / (a.H / a.K);
        const auto key = [&](int64_t s) { return ((b * a.S + s) * a.K + group) * a.D; };
        const auto score = [&](int64_t s) {
          double sum = 0;
          for (int64_t d = 0; d < a.D; ++d) sum += double{a.q.f32()[query + d]} * double{a.k.f32()[key(s) + d]};
          return sum * a.scale;
        };
        double max = -std::numeric_limits<double>::infinity(), total = 0;
        for (int64_t s = first; s <= last; ++s) max = std::max(max, score(s));
        std::fill(y.begin(), y.end(), 0.0);
        for (int64_t s = first; s <= last; ++s) {
          const double weight = std::exp(score(s) - max);
          total += weight;
          for (int64_t d = 0; d < a.D; ++d) y[static_cast<size_t>(d)] += weight * double{a.v.f32()[key(s) + d]};
        }
        a.lse.f32()[(b * a.H + h) * a.T + t] = static_cast<float>(max + std::log(total));
        for (int64_t d = 0; d < a.D; ++d)
          a.y.f32()[query + d] = total > 0 ? static_cast<float>(y[static_cast<size_t>(d)] / total) : 0;
      }
}

}  // namespace lethe::reference
