// The operator table of lethe/ops.h as data: what the shape checks and the addon walk.
#pragma once
#include <array>
#include <span>

#include "lethe/ops.h"

namespace lethe {

enum class FieldKind : uint8_t { dim, tensor, real, integer, flag };
enum class Access : uint8_t { in, in_opt, out, out_opt, acc, acc_opt, inout };

constexpr bool is_optional(Access a) { return a == Access::in_opt || a == Access::out_opt || a == Access::acc_opt; }
constexpr bool is_written(Access a) { return a != Access::in && a != Access::in_opt; }

// One factor of a shape: coefficient x the value of field `dim` (-1: the coefficient alone). "2R" is {2, index of R}.
struct Factor {
  int64_t coefficient = 1;
  int dim = -1;
};

struct Field {
  FieldKind kind = FieldKind::dim;
  const char* name = "";
  Access access = Access::in;
  DType dtype = DType::f32;
  const char* shape = "";
  std::array<Factor, 4> factors = {};
  int rank = 0;
};

struct Operator {
  const char* name;
  std::span<const Field> fields;
};

inline constexpr size_t max_fields = 24;

// In the order of LETHE_OPERATORS; the position is the operator's index.
std::span<const Operator> operators();

}  // namespace lethe
