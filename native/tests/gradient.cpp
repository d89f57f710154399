#include "tests/gradient.h"

#include <gtest/gtest.h>

#include <cmath>

namespace lethe::tests {

void expect_gradient(const Case& forward, const std::string& input,
                     const std::function<double(const Outputs&)>& objective, const Floats& expected) {
  const Floats x = forward.floats(input);
  ASSERT_EQ(x.size(), expected.size());
  double largest = 1e-6;
  for (const float g : expected) largest = std::max(largest, std::fabs(double{g}));
  const auto slope = [&](size_t i, float step) {
    Floats high = x, low = x;
    high[i] += step;
    low[i] -= step;
    const double rise = objective(Case(forward).give(input, high).run(reference_device())) -
                        objective(Case(forward).give(input, low).run(reference_device()));
    return rise / (double{high[i]} - low[i]);
  };
  for (size_t i = 0; i < x.size(); ++i) {
    const float step = 0x1p-5F;
    const double gradient = (4 * slope(i, step / 2) - slope(i, step)) / 3;
    ASSERT_NEAR(expected[i], gradient, 2e-3 * largest) << forward.text() << ": d / d " << input << '[' << i << ']';
  }
}

std::function<double(const Outputs&)> weighted_sum(const std::string& output, const Floats& weights) {
  return [=](const Outputs& outputs) {
    double sum = 0;
    for (size_t i = 0; i < weights.size(); ++i) sum += double{outputs.at(output)[i]} * weights[i];
    return sum;
  };
}

}  // namespace lethe::tests
