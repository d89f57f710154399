#include "cpu/vector/kernels.h"

#include "cpu/vector/bf16.h"
#include "cpu/vector/operators.h"

#define LETHE_STRING(x) #x
#define LETHE_NAME(x) LETHE_STRING(x)

namespace lethe::cpu::LETHE_ISA {

const Kernels& kernels() {
#define LETHE_ENTRY(stem) stem,
  static constexpr Kernels table = {LETHE_NAME(LETHE_ISA),
                                    has_bf16,
                                    LETHE_VECTOR_OPERATORS(LETHE_ENTRY) unlearn_block,
                                    to_bf16,
                                    from_bf16,
                                    round_to_bf16,
                                    pack_panels,
                                    add_transposed_product,
                                    add_column_sums};
  return table;
}

}  // namespace lethe::cpu::LETHE_ISA
