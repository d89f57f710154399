// sums[d] += sum over g of partial[g, d], in the order of g.
#pragma once
#include <cstdint>

namespace lethe::cuda {

class Context;

void add_column_sums(Context& context, const char* op, const float* partial, int64_t groups, int64_t D, float* sums);

}  // namespace lethe::cuda
