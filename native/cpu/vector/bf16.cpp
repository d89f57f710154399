// fp32 to bf16, to nearest, ties to even, NaN kept; and back. 6 bytes of traffic per element.
#include "cpu/vector/bf16.h"

#include "cpu/vector/operators.h"

namespace lethe::cpu::LETHE_ISA {

void to_bf16(const float* x, uint16_t* y, int64_t count) {
  parallel_blocks(count, [=](int64_t begin, int64_t end) {
    each_vector(
        begin, end, [&](int64_t i) { store_bf16(y + i, load(x + i)); },
        [&](int64_t i, int64_t rest) { store_bf16_part(y + i, load_part(x + i, rest), rest); });
  });
}

void from_bf16(const uint16_t* x, float* y, int64_t count) {
  const auto* halves = reinterpret_cast<const Bf16*>(x);
  parallel_blocks(count,
                  [=](int64_t begin, int64_t end) { map_range(begin, end, y, [](Vec v) { return v; }, halves); });
}

void round_to_bf16(const float* x, float* y, int64_t count) {
  parallel_blocks(count, [=](int64_t begin, int64_t end) {
    map_range(begin, end, y, [](Vec v) { return rounded_to_bf16(v); }, x);
  });
}

}  // namespace lethe::cpu::LETHE_ISA
