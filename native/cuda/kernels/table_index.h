// Positions in the operator table, for errors that kernels write down.
#pragma once
#include "lethe/ops.h"

namespace lethe::cuda {

#define LETHE_INDEX(stem) stem,
namespace table {
enum Index : int { LETHE_OPERATORS(LETHE_INDEX) };
}
#undef LETHE_INDEX

}  // namespace lethe::cuda
