// Every operator of the table, on a context.
#pragma once
#include "lethe/ops.h"

namespace lethe::cuda {

class Context;

#define LETHE_CUDA_OPERATOR(stem) void stem(Context& context, const stem##_args& a);
LETHE_OPERATORS(LETHE_CUDA_OPERATOR)
#undef LETHE_CUDA_OPERATOR

}  // namespace lethe::cuda
