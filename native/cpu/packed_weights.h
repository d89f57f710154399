// linear for few rows, over a copy of the weights in oneDNN's own layout (and in bf16 where asked): generation reads
// the same weights for every token, and with one row the plain layout costs three times the time.
#pragma once
#include "lethe/ops.h"

namespace lethe::cpu {

// Does all of `linear` and returns true, or nothing and returns false. Which of the two depends on shapes alone, never
// on what ran before, so that a resumed run repeats an uninterrupted one bit for bit. The copy is kept until the buffer
// is written or released, or the cache emptied.
bool packed_linear(const linear_args& a);

}  // namespace lethe::cpu
