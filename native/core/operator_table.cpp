// The shape strings are parsed while compiling: an unknown dimension in ops.h does not build.
#include "core/operator_table.h"

#include <string_view>

namespace lethe {
namespace {

template <size_t count>
constexpr int dim_index(const std::array<Field, count>& fields, std::string_view name) {
  for (size_t i = 0; i < count; ++i)
    if (fields[i].kind == FieldKind::dim && fields[i].name == name) return static_cast<int>(i);
  throw "a shape names a dimension that the operator does not have";
}

template <size_t count>
constexpr Factor parse_factor(const std::array<Field, count>& fields, std::string_view text) {
  Factor factor;
  size_t digits = 0;
  int64_t number = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9')
    number = number * 10 + (text[digits++] - '0');
  if (digits) factor.coefficient = number;
  if (digits < text.size()) factor.dim = dim_index(fields, text.substr(digits));
  return factor;
}

template <size_t count>
constexpr std::array<Field, count> parse(std::array<Field, count> fields) {
  static_assert(count <= max_fields);
  for (Field& field : fields) {
    std::string_view rest = field.shape;
    while (!rest.empty()) {
      const size_t comma = rest.find(',');
      const bool last = comma == std::string_view::npos;
      field.factors.at(static_cast<size_t>(field.rank++)) = parse_factor(fields, rest.substr(0, comma));
      rest = last ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return fields;
}

#define LETHE_DIM(name) Field{FieldKind::dim, #name},
#define LETHE_TENSOR(kind, dtype, name, shape) Field{FieldKind::tensor, #name, Access::kind, DType::dtype, shape},
#define LETHE_REAL(name) Field{FieldKind::real, #name},
#define LETHE_INT(name) Field{FieldKind::integer, #name},
#define LETHE_FLAG(name) Field{FieldKind::flag, #name},
#define LETHE_TABLE(stem)        \
  constexpr auto stem##_fields = \
      parse(std::to_array<Field>({LETHE_FIELDS_##stem(LETHE_DIM, LETHE_TENSOR, LETHE_REAL, LETHE_INT, LETHE_FLAG)}));
LETHE_OPERATORS(LETHE_TABLE)

#define LETHE_ENTRY(stem) Operator{#stem, stem##_fields},
constexpr auto table = std::to_array<Operator>({LETHE_OPERATORS(LETHE_ENTRY)});

}  // namespace

std::span<const Operator> operators() { return table; }

}  // namespace lethe
