// One description of a call of an operator; tests, gradient checks and benchmarks run it on any device.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "lethe/device.h"

namespace lethe::tests {

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;
using Outputs = std::map<std::string, Floats>;

// Standard normal numbers, the same for the same seed everywhere.
Floats normal(size_t count, uint64_t seed, float scale = 1);

class Case {
 public:
  explicit Case(const std::string& op);

  Case& set(const std::string& field, double value);  // dim, real, int or flag; those not set are 0
  Case& give(const std::string& tensor, Floats values);
  Case& give(const std::string& tensor, Ints values);
  // Activations are stored in bf16 where the device can: values are rounded to it, those of weights too, so that every
  // device computes the same thing.
  Case& bf16(bool yes);
  Case& omit(const std::string& tensor);  // of the optional ones; the others are all there

  // Tensors that were not given: inputs and accumulators are normal numbers, outputs are NaN until written.
  Outputs run(Device& device) const;

  const std::string& op() const { return op_; }
  double value(const std::string& field) const;
  size_t elements(const std::string& tensor) const;
  size_t row_length(const std::string& tensor) const;  // the last dimension
  Floats floats(const std::string& tensor) const;      // what `run` puts into it
  bool is_given(const std::string& tensor) const { return !omitted_.contains(tensor); }
  bool is_bf16(const std::string& tensor) const;  // as a device stores it that can
  std::string text() const;

 private:
  std::string op_;
  std::map<std::string, double> values_;
  std::map<std::string, Floats> floats_;
  std::map<std::string, Ints> ints_;
  std::map<std::string, bool> omitted_;
  bool bf16_ = false;
};

// |fast - truth| <= naive error + 4 eps max|truth of the row|, docs/math.md section 5.3; truth is the reference device.
// The naive error of a row is its size times the largest relative error of any row of the naive result: a single
// element, or the single number of a short row, may be right by luck. Where there is no naive implementation, or its
// result is not finite, the tolerance stands alone, times `slack`. For results stored in bf16 eps is 2^-10, so that 4
// eps is twice the rounding of the row's largest element. 1.2e-38 is allowed anyway: below it vector code rounds to 0.
struct Budget {
  explicit Budget(double times = 1) : slack(times) {}
  double slack;
  bool by_tensor = false;                // the whole tensor is one row: for results of a cancelling difference
  double eps = 1.1920929e-7;             // of fp32
  std::map<std::string, double> eps_of;  // other precisions, by output
};
void expect_within_budget(const Case& test, const Budget& budget = Budget());

// The same, with activations in fp32 and in bf16.
void expect_within_budget_in_both(const Case& test, const Budget& budget = Budget());

// The plain fp32 implementation of some operators; the others throw Error{not_available}.
Device& naive_device();

}  // namespace lethe::tests
