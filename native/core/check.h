// The checks that hold for every device, from the operator table: shapes first, then what a shape cannot say.
#pragma once
#include "core/operator_table.h"
#include "lethe/error.h"

namespace lethe {

// Arguments by field index; entries of other kinds are not read.
struct FieldValues {
  std::array<int64_t, max_fields> dims = {};
  std::array<Tensor, max_fields> tensors = {};
};

// Every dimension >= 0, every required tensor present, every tensor of exactly the size its shape says.
void check_shapes(const Operator& op, const FieldValues& values);

// Shapes, then values (num_forget <= N, H a multiple of K, ...). Throws Error{invalid_argument}.
#define LETHE_CHECK(stem) void check(const stem##_args& a);
LETHE_OPERATORS(LETHE_CHECK)
#undef LETHE_CHECK

// For host devices: what is inside index tensors. Each id must be in [low, high).
void check_ids(const char* op, const char* name, const int32_t* ids, int64_t count, int64_t low, int64_t high);
// Every non-empty range first..last must lie in [0, S).
void check_ranges(const char* op, const int32_t* first, const int32_t* last, int64_t count, int64_t S);

}  // namespace lethe
