// A call of an operator on random inputs, run on the reference and on another device and compared by the error budget.
#pragma once
#include <functional>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "lethe/device.h"

namespace lethe::check {

using Floats = std::vector<float>;
using Ints = std::vector<int32_t>;

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}
  double uniform() { return (static_cast<double>(bits_() >> 11) + 0.5) * 0x1p-53; }
  double normal();
  int below(int count) { return static_cast<int>(uniform() * count); }

 private:
  std::mt19937_64 bits_;
};

using Tensors = std::map<std::string, Floats>;

struct RandomCall {
  std::string op;
  std::map<std::string, double> values = {};  // dims, reals, ints and flags; 0 where not named
  bool bf16 = false;
  std::set<std::string> omitted = {};
  std::map<std::string, std::function<Ints(Random&)>> ids = {};
  std::map<std::string, double> sizes = {};  // standard deviations, 1 where not named; "outliers" on `outlier` x20
  std::string outlier = {};
  bool by_tensor = false;  // the budget is relative to the whole tensor: for results of cancelling differences
  double slack = 1;        // of the tolerance
  double by_norm = 0;      // instead of the budget: |fast - truth| <= by_norm |truth| as norms of whole tensors
  std::function<void(const RandomCall&, Tensors&, std::map<std::string, Ints>&)> prepare = {};  // dependent inputs

  std::string text() const;
};

struct Comparison {
  bool holds = true;
  double worst = 0;     // largest error as a share of what is allowed
  std::string failure;  // the output, index, three values and shape, where it does not hold
};

// |fast - truth| <= 4 naive error + 4 eps slack max|truth of the row|; see native/tests/case.h.
Comparison compare(const RandomCall& call, Device& fast, int fast_index, uint64_t seed);

// Runs a call on a device; outputs start as NaN, and as sums of what was there where they accumulate.
Tensors run(const RandomCall& call, Device& device, int device_index, const Tensors& floats,
            const std::map<std::string, Ints>& ids);

}  // namespace lethe::check
