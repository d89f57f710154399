// The calls that are checked: every operator, forward and backward, over the hard inputs of docs/math.md, section 5.
#pragma once
#include "cuda/check/random_call.h"

namespace lethe::check {

// `small`: shapes that a sanitizer, or fibers on a host, get through.
std::vector<RandomCall> calls(bool small);

}  // namespace lethe::check
