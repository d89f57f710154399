#include "core/check.h"

#include <string>

namespace lethe {
namespace {

[[noreturn]] void fail(const Operator& op, const std::string& text) {
  throw Error(Code::invalid_argument, op.name, text);
}

std::string shape_text(const Field& field, const FieldValues& values) {
  std::string numbers;
  for (int i = 0; i < field.rank; ++i) {
    const Factor& f = field.factors[static_cast<size_t>(i)];
    const int64_t dim = f.dim < 0 ? 1 : values.dims[static_cast<size_t>(f.dim)];
    int64_t size = 0;
    const bool fits = !__builtin_mul_overflow(f.coefficient, dim, &size);
    numbers += (i ? ", " : "") + (fits ? std::to_string(size) : "too many");
  }
  return "[" + std::string(field.shape) + "] = [" + numbers + "]";
}

// The element count of the shape, or -1 when it does not fit into 62 bits.
int64_t count_elements(const Field& field, const FieldValues& values) {
  int64_t count = 1;
  for (int i = 0; i < field.rank; ++i) {
    const Factor& f = field.factors[static_cast<size_t>(i)];
    if (__builtin_mul_overflow(count, f.coefficient, &count)) return -1;
    if (f.dim >= 0 && __builtin_mul_overflow(count, values.dims[static_cast<size_t>(f.dim)], &count)) return -1;
  }
  return count > (int64_t{1} << 62) / 4 ? -1 : count;
}

void check_tensor(const Operator& op, const Field& field, const FieldValues& values, const Tensor& tensor) {
  if (!tensor) {
    if (is_optional(field.access)) return;
    fail(op, std::string(field.name) + ": expected a tensor of shape " + shape_text(field, values) + ", received none");
  }
  const int64_t count = count_elements(field, values);
  const size_t size = tensor.bf16 ? 2 : 4;
  if (count >= 0 && tensor.bytes == static_cast<size_t>(count) * size) return;
  fail(op, std::string(field.name) + ": expected " + (count < 0 ? "too many" : std::to_string(count)) +
               " elements for shape " + shape_text(field, values) + ", received " +
               (tensor.bytes % size ? std::to_string(tensor.bytes) + " bytes" : std::to_string(tensor.bytes / size)));
}

// f32 and i32 as they say; all activations of a call alike.
void check_dtypes(const Operator& op, const FieldValues& values) {
  const char* activation = nullptr;
  bool bf16 = false;
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const Field& field = op.fields[i];
    const Tensor& tensor = values.tensors[i];
    if (field.kind != FieldKind::tensor || !tensor || field.dtype == DType::wgt) continue;
    const bool is_activation = field.dtype == DType::act;
    if (is_activation && !activation) activation = field.name, bf16 = tensor.bf16;
    if (tensor.bf16 == (is_activation && bf16)) continue;
    fail(op, std::string(field.name) + ": expected " + (tensor.bf16 ? "4-byte" : "bf16") + " elements" +
                 (is_activation ? std::string(", as ") + activation + " has" : "") + ", received " +
                 (tensor.bf16 ? "bf16" : "4-byte"));
  }
}

// Loops over a dimension end in time because a tensor holds it; one that only empty tensors have could be anything.
constexpr int64_t most_without_memory = int64_t{1} << 20;

void check_held(const Operator& op, const FieldValues& values, size_t dim) {
  if (values.dims[dim] <= most_without_memory) return;
  for (size_t i = 0; i < op.fields.size(); ++i) {
    const Field& field = op.fields[i];
    if (field.kind != FieldKind::tensor || !values.tensors[i] || values.tensors[i].bytes == 0) continue;
    for (int factor = 0; factor < field.rank; ++factor)
      if (field.factors[static_cast<size_t>(factor)].dim == static_cast<int>(dim)) return;
  }
  fail(op, std::string(op.fields[dim].name) + ": expected at most " + std::to_string(most_without_memory) +
               " where every tensor that has it is empty, received " + std::to_string(values.dims[dim]));
}

}  // namespace

void check_shapes(const Operator& op, const FieldValues& values) {
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].kind == FieldKind::dim && values.dims[i] < 0)
      fail(op,
           std::string(op.fields[i].name) + ": expected a dimension >= 0, received " + std::to_string(values.dims[i]));
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].kind == FieldKind::tensor) check_tensor(op, op.fields[i], values, values.tensors[i]);
  for (size_t i = 0; i < op.fields.size(); ++i)
    if (op.fields[i].kind == FieldKind::dim) check_held(op, values, i);
  check_dtypes(op, values);
}

void check_ids(const char* op, const char* name, const int32_t* ids, int64_t count, int64_t low, int64_t high) {
  for (int64_t i = 0; i < count; ++i)
    if (ids[i] < low || ids[i] >= high)
      throw Error(Code::invalid_argument, op,
                  std::string(name) + "[" + std::to_string(i) + "]: expected an index in [" + std::to_string(low) +
                      ", " + std::to_string(high) + "), received " + std::to_string(ids[i]));
}

void check_ranges(const char* op, const int32_t* first, const int32_t* last, int64_t count, int64_t S) {
  for (int64_t i = 0; i < count; ++i)
    if (first[i] <= last[i] && (first[i] < 0 || last[i] >= S))
      throw Error(Code::invalid_argument, op,
                  "first[" + std::to_string(i) + "]..last: expected key rows in [0, " + std::to_string(S) +
                      "), received " + std::to_string(first[i]) + ".." + std::to_string(last[i]));
}

}  // namespace lethe
