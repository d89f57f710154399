// The calls that are checked: every operator, forward and backward, over the hard inputs of docs/math.md, section 5.
#pragma once
#include "cuda/check/random_call.h"

namespace lethe::check {

// `small`: shapes that a sanitizer, or fibers on a host, get through.
std::vector<RandomCall> calls(bool small);
// The head with fp16 logits, whose error is not that of a rounded result: within 4e-3 of the reference's norm.
std::vector<RandomCall> half_logit_calls(bool small);

}  // namespace lethe::check
