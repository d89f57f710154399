// An fp32 input as the operator sees it: rounded to bf16 where the flag asks for it. This defines what the flag means.
#pragma once
#include "core/bf16.h"

namespace lethe::reference {

inline double input(const float* x, int64_t i, bool bf16) { return bf16 ? round_to_bf16(x[i]) : x[i]; }

}  // namespace lethe::reference
