// The oracle: every operator in fp64, one thread, no cleverness. Inputs and outputs are fp32, as in the table.
#pragma once
#include "lethe/ops.h"

namespace lethe::reference {

#define LETHE_DECLARE(stem) void stem(const stem##_args& a);
LETHE_OPERATORS(LETHE_DECLARE)
#undef LETHE_DECLARE

}  // namespace lethe::reference
