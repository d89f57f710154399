// A block of rows through the fused head (docs/math.md, sections 2 and 4), all of one kind. Logits are transposed,
// z^T [V, R]: weights are then the left matrix of every product and are read as they lie in memory, a few rows at a
// time, so that no copy of them is made and what a block holds is what pass 1 keeps of its logits.
//   pass 1, slabs of the vocabulary:   z^T = W h^T, its maxima over the slab, exponentials less these, their sums
//   pass 2, chunks of the vocabulary:  dz^T from the exponentials; dW += dz^T h; dh += dz W
//   forget row:  dz_v = -s c q_v, dz_y = s c;  q = softmax over v != y, c = p (complement) or 1 - p (ga)
//   replay row:  dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori)
// Hazards: LSE over v != y is never derived from the LSE over all, which cancels as p -> 1; 1 - p is sigmoid(-m);
// exponents are z less the slab's maximum, which loses nothing to a large common logit; KL and p - p_ori go through
// exp(-d) - 1 + d, d = log p_ori - log p, which has no cancelling terms and is exactly 0 when the models agree.
// Sums run in an order that the shapes alone decide, whatever the number of threads.
#include "cpu/vector/unlearn_differentiate.h"
#include "cpu/vector/unlearn_measure.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

template <class Unit, class Kept>
void run(const UnlearnBlock& b) {
  UnlearnState<Unit, Kept> state(b);
  MeasurePass<Unit, Kept>(state).run();
  for (int64_t r = 0; r < b.rows; ++r) b.m[r] = state.own.m[r], b.kl[r] = 0;
  if (b.keeps_logits()) DifferentiatePass<Unit, Kept>(state).run();
}

}  // namespace

void unlearn_block(const UnlearnBlock& block) {
  if (!block.bf16) return run<Single, KeptSingle>(block);
  if constexpr (has_bf16)
    run<Pair, KeptHalf>(block);
  else
    run<RoundedSingle, KeptHalf>(block);
}

}  // namespace lethe::cpu::LETHE_ISA
