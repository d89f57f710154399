#include "cuda/check/random_call.h"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "core/bf16.h"
#include "core/call.h"
#include "core/operator_table.h"
#include "lethe/error.h"
#include "tests/case.h"
#include "tests/row_error.h"

namespace lethe::check {
namespace {

const Operator& find(const std::string& name, size_t& index) {
  const auto table = operators();
  for (index = 0; index < table.size(); ++index)
    if (table[index].name == name) return table[index];
  throw std::logic_error("no operator " + name);
}

double value_of(const RandomCall& call, const std::string& name) {
  const auto found = call.values.find(name);
  return found == call.values.end() ? 0 : found->second;
}

double factor_of(const RandomCall& call, const Operator& op, const Factor& factor) {
  const double dim = factor.dim < 0 ? 1 : value_of(call, op.fields[static_cast<size_t>(factor.dim)].name);
  return static_cast<double>(factor.coefficient) * dim;
}

size_t elements_of(const RandomCall& call, const Operator& op, const Field& field) {
  double count = 1;
  for (size_t i = 0; i < static_cast<size_t>(field.rank); ++i) count *= factor_of(call, op, field.factors[i]);
  return static_cast<size_t>(count);
}

bool is_output(Access access) { return access == Access::out || access == Access::out_opt; }
bool is_half(const RandomCall& call, const Field& field) { return call.bf16 && field.dtype == DType::act; }

Floats random_floats(const RandomCall& call, const Field& field, size_t count, Random& random) {
  if (is_output(field.access)) return Floats(count, std::nanf(""));
  const auto size = call.sizes.find(field.name);
  Floats values(count);
  for (float& x : values) x = static_cast<float>((size == call.sizes.end() ? 1 : size->second) * random.normal());
  if (call.outlier == field.name)
    for (size_t i = 0; i < count; i += 7) values[i] *= 20;
  return values;
}

void compare_tensor(const std::string& what, const Floats& fast, const Floats& truth, size_t length, double relative,
                    Comparison& comparison) {
  for (size_t i = 0; i < truth.size(); ++i) {
    const size_t begin = i / length * length;
    const double allowed =
        relative * tests::largest(truth.data() + begin, std::min(length, truth.size() - begin)) + 1e-36;
    const double error = truth[i] == fast[i] || (std::isnan(truth[i]) && std::isnan(fast[i]))
                             ? 0
                             : std::fabs(double{fast[i]} - truth[i]);
    if (error <= allowed) {
      comparison.worst = std::max(comparison.worst, error / allowed);
      continue;
    }
    comparison.holds = false;
    std::ostringstream text;
    text << what << '[' << i << "] is " << fast[i] << ", expected " << truth[i] << ", off by " << error << ", allowed "
         << allowed;
    if (comparison.failure.empty()) comparison.failure = text.str();
    return;
  }
}

void compare_norms(const std::string& what, const Floats& fast, const Floats& truth, double allowed,
                   Comparison& comparison) {
  double difference = 0, size = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    difference += (double{fast[i]} - truth[i]) * (double{fast[i]} - truth[i]);
    size += double{truth[i]} * truth[i];
  }
  const double error = std::sqrt(difference), most = allowed * std::sqrt(size) + 1e-30;
  if (error <= most) {  // not where it is NaN
    comparison.worst = std::max(comparison.worst, error / most);
    return;
  }
  comparison.holds = false;
  std::ostringstream text;
  text << what << " is off by " << error << " in norm, allowed " << most;
  if (comparison.failure.empty()) comparison.failure = text.str();
}

}  // namespace

double Random::normal() { return std::sqrt(-2 * std::log(uniform())) * std::cos(6.283185307179586 * uniform()); }

std::string RandomCall::text() const {
  std::ostringstream out;
  out << op << (bf16 ? " bf16" : " fp32");
  for (const auto& [name, x] : values) out << ' ' << name << '=' << x;
  for (const auto& name : omitted) out << " -" << name;
  if (!outlier.empty()) out << " outliers in " << outlier;
  return out.str();
}

Tensors run(const RandomCall& call, Device& device, int device_index, const Tensors& floats,
            const std::map<std::string, Ints>& ids) {
  size_t index = 0;
  const Operator& op = find(call.op, index);
  BufferStore store;
  std::vector<double> numbers;
  for (const Field& f : op.fields) {
    if (f.kind != FieldKind::tensor) {
      numbers.push_back(value_of(call, f.name));
    } else if (call.omitted.contains(f.name)) {
      numbers.push_back(0);
    } else if (f.dtype == DType::i32) {
      const Ints& data = ids.at(f.name);
      numbers.push_back(static_cast<double>(store.allocate(device_index, data.size() * 4)));
      store.write(static_cast<uint64_t>(numbers.back()), 0, data.data(), data.size() * 4);
    } else {
      const Floats& data = floats.at(f.name);
      const bool half = is_half(call, f) && device.stores_bf16();
      const uint64_t id = store.allocate(device_index, data.size() * (half ? 2 : 4), half);
      numbers.push_back(static_cast<double>(id));
      std::vector<uint16_t> halves;
      if (half) std::transform(data.begin(), data.end(), std::back_inserter(halves), to_bf16);
      store.write(id, 0, half ? static_cast<const void*>(halves.data()) : data.data(), data.size() * (half ? 2 : 4));
    }
  }
  lethe::call(device, store, index, numbers);
  Tensors outputs;
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const Field& f = op.fields[i];
    if (f.kind != FieldKind::tensor || !is_written(f.access) || numbers[i] == 0) continue;
    Floats values(elements_of(call, op, f));
    const auto id = static_cast<uint64_t>(numbers[i]);
    if (is_half(call, f) && device.stores_bf16()) {
      std::vector<uint16_t> halves(values.size());
      store.read(id, 0, halves.data(), halves.size() * 2);
      std::transform(halves.begin(), halves.end(), values.begin(), from_bf16);
    } else {
      store.read(id, 0, values.data(), values.size() * 4);
    }
    outputs[f.name] = std::move(values);
  }
  return outputs;
}

Comparison compare(const RandomCall& call, Device& fast, int fast_index, uint64_t seed) {
  size_t index = 0;
  const Operator& op = find(call.op, index);
  Random random(seed);
  Tensors floats;
  std::map<std::string, Ints> ids;
  for (const Field& f : op.fields) {
    if (f.kind != FieldKind::tensor || call.omitted.contains(f.name)) continue;
    if (f.dtype == DType::i32)
      ids[f.name] = call.ids.at(f.name)(random);
    else
      floats[f.name] = random_floats(call, f, elements_of(call, op, f), random);
  }
  const auto round = [&] {  // so that every device computes the same thing
    for (const Field& f : op.fields)
      if (call.bf16 && floats.contains(f.name) && (f.dtype == DType::act || f.dtype == DType::wgt))
        for (float& x : floats[f.name]) x = round_to_bf16(x);
  };
  round();
  if (call.prepare) {
    call.prepare(call, floats, ids);
    round();
  }
  const Tensors truth = run(call, reference_device(), 0, floats, ids),
                result = run(call, fast, fast_index, floats, ids);
  Tensors naive;
  try {
    naive = run(call, tests::naive_device(), 0, floats, ids);
  } catch (const Error& error) {
    if (error.code != Code::not_available) throw;
  }
  Comparison comparison;
  for (const Field& f : op.fields) {
    if (f.kind != FieldKind::tensor || !truth.contains(f.name)) continue;
    const Floats& values = truth.at(f.name);
    if (call.by_norm > 0) {
      compare_norms(call.text() + ": " + f.name, result.at(f.name), values, call.by_norm, comparison);
      continue;
    }
    const bool per_row_number = call.op == "unlearn_head" && f.rank == 1;
    const auto last = static_cast<size_t>(factor_of(call, op, f.factors[static_cast<size_t>(f.rank - 1)]));
    const size_t length = std::max<size_t>(1, call.by_tensor ? values.size() : per_row_number ? 1 : last);
    // dz is stored in bf16, and the gradient of the weight is made of it.
    const bool is_of_halves = call.bf16 && call.op == "unlearn_head" && std::string(f.name) == "dweight";
    const double eps = is_half(call, f) || is_of_halves ? 0x1p-10 : 1.1920929e-7;
    const double naive_error = naive.contains(f.name) ? tests::relative_error(naive.at(f.name), values, length) : 0;
    compare_tensor(call.text() + ": " + f.name, result.at(f.name), values, length,
                   4 * naive_error + 4 * eps * call.slack, comparison);
  }
  return comparison;
}

}  // namespace lethe::check
