#include "tests/case.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <sstream>

#include "core/bf16.h"
#include "core/call.h"
#include "core/operator_table.h"
#include "lethe/error.h"
#include "tests/row_error.h"

namespace lethe::tests {
namespace {

const Operator& find(const std::string& name, size_t* index = nullptr) {
  const auto table = operators();
  for (size_t i = 0; i < table.size(); ++i)
    if (table[i].name == name) {
      if (index) *index = i;
      return table[i];
    }
  throw std::logic_error("no operator " + name);
}

const Field& field(const std::string& op, const std::string& name) {
  for (const Field& f : find(op).fields)
    if (f.name == name) return f;
  throw std::logic_error(op + " has no field " + name);
}

// Host memory, which reference, cpu and naive share.
class Buffers {
 public:
  uint64_t add(const void* data, size_t bytes, bool bf16 = false) {
    const uint64_t id = store_.allocate(1, bytes, bf16);
    store_.write(id, 0, data, bytes);
    return id;
  }
  uint64_t add_bf16(const Floats& values) {
    std::vector<uint16_t> halves;
    for (const float x : values) halves.push_back(to_bf16(x));
    return add(halves.data(), halves.size() * 2, true);
  }
  Floats read(uint64_t id, size_t count) {
    Floats values(count);
    store_.read(id, 0, values.data(), count * 4);
    return values;
  }
  Floats read_bf16(uint64_t id, size_t count) {
    std::vector<uint16_t> halves(count);
    store_.read(id, 0, halves.data(), count * 2);
    Floats values;
    for (const uint16_t x : halves) values.push_back(from_bf16(x));
    return values;
  }
  BufferStore& store() { return store_; }

 private:
  BufferStore store_;
};

}  // namespace

Floats normal(size_t count, uint64_t seed, float scale) {
  std::mt19937_64 bits(seed);
  const auto uniform = [&] { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; };
  Floats values(count);
  for (float& x : values)
    x = static_cast<float>(scale * std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()));
  return values;
}

Case::Case(const std::string& op) : op_(op) { find(op); }

Case& Case::set(const std::string& name, double value) {
  field(op_, name);
  values_[name] = value;
  return *this;
}
Case& Case::give(const std::string& tensor, Floats values) {
  field(op_, tensor);
  floats_[tensor] = std::move(values);
  return *this;
}
Case& Case::give(const std::string& tensor, Ints values) {
  field(op_, tensor);
  ints_[tensor] = std::move(values);
  return *this;
}
Case& Case::bf16(bool yes) {
  bf16_ = yes;
  return *this;
}
Case& Case::omit(const std::string& tensor) {
  field(op_, tensor);
  omitted_[tensor] = true;
  return *this;
}

double Case::value(const std::string& name) const {
  const auto found = values_.find(name);
  return found == values_.end() ? 0 : found->second;
}

size_t Case::elements(const std::string& tensor) const {
  const Field& f = field(op_, tensor);
  double count = 1;
  for (size_t i = 0; i < static_cast<size_t>(f.rank); ++i) {
    const Factor& factor = f.factors[i];
    count *= static_cast<double>(factor.coefficient);
    if (factor.dim >= 0) count *= value(find(op_).fields[static_cast<size_t>(factor.dim)].name);
  }
  return static_cast<size_t>(count);
}

size_t Case::row_length(const std::string& tensor) const {
  const Field& f = field(op_, tensor);
  const Factor& last = f.factors[static_cast<size_t>(f.rank - 1)];
  const double dim = last.dim < 0 ? 1 : value(find(op_).fields[static_cast<size_t>(last.dim)].name);
  if (op_ == "unlearn_head" && f.rank == 1) return 1;  // one number per row of hidden, or per sum
  return std::max<size_t>(1, static_cast<size_t>(static_cast<double>(last.coefficient) * dim));
}

bool Case::is_bf16(const std::string& tensor) const { return bf16_ && field(op_, tensor).dtype == DType::act; }

Floats Case::floats(const std::string& tensor) const {
  const auto given = floats_.find(tensor);
  const Field& f = field(op_, tensor);
  Floats values;
  if (given != floats_.end())
    values = given->second;
  else if (f.access == Access::out || f.access == Access::out_opt)
    values = Floats(elements(tensor), std::nanf(""));
  else
    values = normal(elements(tensor), std::hash<std::string>()(op_ + tensor));
  if (bf16_ && (f.dtype == DType::act || f.dtype == DType::wgt))
    for (float& x : values) x = round_to_bf16(x);
  return values;
}

Outputs Case::run(Device& device) const {
  size_t index = 0;
  const Operator& op = find(op_, &index);
  Buffers buffers;
  std::vector<double> numbers;
  for (const Field& f : op.fields) {
    if (f.kind != FieldKind::tensor) {
      numbers.push_back(value(f.name));
    } else if (omitted_.contains(f.name)) {
      numbers.push_back(0);
    } else if (f.dtype == DType::i32) {
      const Ints& data = ints_.at(f.name);
      numbers.push_back(static_cast<double>(buffers.add(data.data(), data.size() * 4)));
    } else {
      const Floats data = floats(f.name);
      const bool halves = is_bf16(f.name) && device.stores_bf16();
      numbers.push_back(
          static_cast<double>(halves ? buffers.add_bf16(data) : buffers.add(data.data(), data.size() * 4)));
    }
  }
  call(device, buffers.store(), index, numbers);
  Outputs outputs;
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const Field& f = op.fields[i];
    if (f.kind == FieldKind::tensor && is_written(f.access) && numbers[i] != 0)
      outputs[f.name] = is_bf16(f.name) && device.stores_bf16()
                            ? buffers.read_bf16(static_cast<uint64_t>(numbers[i]), elements(f.name))
                            : buffers.read(static_cast<uint64_t>(numbers[i]), elements(f.name));
  }
  return outputs;
}

std::string Case::text() const {
  std::ostringstream out;
  out << op_ << (bf16_ ? " bf16" : "");
  for (const auto& [name, x] : values_) out << ' ' << name << '=' << x;
  for (const auto& [name, yes] : omitted_) out << " -" << name;
  return out.str();
}

namespace {

bool agrees(double fast, double truth, double allowed) {
  return std::isnan(truth) ? std::isnan(fast) : truth == fast || std::fabs(fast - truth) <= allowed;
}

void expect_tensor(const std::string& what, const Floats& fast, const Floats& truth, size_t length, double relative) {
  for (size_t begin = 0; begin < truth.size(); begin += length) {
    const size_t end = std::min(begin + length, truth.size());
    const double allowed = relative * largest(truth.data() + begin, end - begin) + 1e-36;
    for (size_t i = begin; i < end; ++i) {
      if (agrees(fast[i], truth[i], allowed)) continue;
      ADD_FAILURE() << what << '[' << i << "] is " << fast[i] << ", expected " << truth[i] << ", off by "
                    << std::fabs(double{fast[i]} - truth[i]) << ", allowed " << allowed;
      return;
    }
  }
}

}  // namespace

void expect_within_budget(const Case& test, const Budget& budget) {
  const Outputs truth = test.run(reference_device()), fast = test.run(cpu_device());
  Outputs naive;
  try {
    naive = test.run(naive_device());
  } catch (const Error& error) {
    if (error.code != Code::not_available) throw;
  }
  for (const auto& [name, values] : truth) {
    const size_t length = budget.by_tensor ? std::max<size_t>(1, values.size()) : test.row_length(name);
    const auto special = budget.eps_of.find(name);
    const double eps = special != budget.eps_of.end() ? special->second : test.is_bf16(name) ? 0x1p-10 : budget.eps;
    const double naive_error = naive.contains(name) ? relative_error(naive.at(name), values, length) : 0;
    expect_tensor(test.text() + ": " + name, fast.at(name), values, length, 4 * naive_error + 4 * eps * budget.slack);
  }
}

void expect_within_budget_in_both(const Case& test, const Budget& budget) {
  for (const bool bf16 : {false, true}) expect_within_budget(Case(test).bf16(bf16), budget);
}

}  // namespace lethe::tests
