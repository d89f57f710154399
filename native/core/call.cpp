#include "core/call.h"

#include <cmath>
#include <string>

#include "core/check.h"

namespace lethe {
namespace {

// Reads the fields of one call in order.
struct Reader {
  Device& device;
  BufferStore& store;
  const char* op;
  const double* next;

  int64_t integer(const char* name) {
    const double value = *next++;
    // 2^53: beyond it a double no longer holds every integer. The negation also catches NaN.
    if (!(std::fabs(value) <= 9007199254740992.0) || value != std::trunc(value))
      throw Error(Code::invalid_argument, op,
                  std::string(name) + ": expected an integer, received " + std::to_string(value));
    return static_cast<int64_t>(value);
  }
  Tensor tensor(Access access, const char* name) {
    const int64_t id = integer(name);
    if (id == 0) return {};
    return store.tensor(static_cast<uint64_t>(id), device, is_written(access), op, name);
  }
};

#define LETHE_DIM(name) a.name = reader.integer(#name);
#define LETHE_TENSOR(kind, dtype, name, shape) a.name = reader.tensor(Access::kind, #name);
#define LETHE_REAL(name) a.name = *reader.next++;
#define LETHE_INT(name) a.name = reader.integer(#name);
#define LETHE_FLAG(name) a.name = reader.integer(#name) != 0;
#define LETHE_CALL(stem)                                                                      \
  void call_##stem(Reader& reader) {                                                          \
    stem##_args a;                                                                            \
    LETHE_FIELDS_##stem(LETHE_DIM, LETHE_TENSOR, LETHE_REAL, LETHE_INT, LETHE_FLAG) check(a); \
    reader.device.stem(a);                                                                    \
  }
LETHE_OPERATORS(LETHE_CALL)

#define LETHE_ENTRY(stem) call_##stem,
constexpr void (*calls[])(Reader&) = {LETHE_OPERATORS(LETHE_ENTRY)};

}  // namespace

void call(Device& device, BufferStore& store, size_t operator_index, std::span<const double> numbers) {
  const auto table = operators();
  if (operator_index >= table.size())
    throw Error(Code::invalid_argument, "run",
                "operator: expected an index below " + std::to_string(table.size()) + ", received " +
                    std::to_string(operator_index));
  const Operator& op = table[operator_index];
  if (numbers.size() != op.fields.size())
    throw Error(
        Code::invalid_argument, op.name,
        "expected " + std::to_string(op.fields.size()) + " arguments, received " + std::to_string(numbers.size()));
  Reader reader{device, store, op.name, numbers.data()};
  calls[operator_index](reader);
}

}  // namespace lethe
