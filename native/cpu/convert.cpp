// y[i] = x[i], from fp32 to bf16 or back. Bound by memory.
#include "cpu/convert.h"

#include "cpu/operators.h"

namespace lethe::cpu {

void convert(const convert_args& a) {
  if (a.x.data != a.y.data) copy(a.x, a.y, a.N);
}

}  // namespace lethe::cpu
