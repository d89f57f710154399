// Central differences through the reference device, against the gradients that an operator computes.
#pragma once
#include <functional>

#include "tests/case.h"

namespace lethe::tests {

// d objective / d input by central differences at two steps, extrapolated (Richardson). The reference computes in fp64
// but stores fp32, so steps are coarse, and `expected` must agree to 2e-3 of its largest element.
void expect_gradient(const Case& forward, const std::string& input,
                     const std::function<double(const Outputs&)>& objective, const Floats& expected);

// sum of output * weights: the objective whose gradient is the backward pass of dy = weights.
std::function<double(const Outputs&)> weighted_sum(const std::string& output, const Floats& weights);

}  // namespace lethe::tests
