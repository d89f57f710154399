#include "cpu/vector/panels.h"

namespace lethe::cpu::LETHE_ISA {

void pack_panels(const Tensor& x, const PanelShape& shape, bool bf16, float* units) {
  with_element(x.bf16, [&](auto element) {
    const auto* data = row_of<decltype(element)>(x, 0, 0);
    if (bf16)
      pack<Pair>(data, shape, units);
    else
      pack<Single>(data, shape, units);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
