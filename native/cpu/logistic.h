// The logistic function and its integral, in fp64, without overflow. Internal linkage: vector code is compiled once per
// instruction set, and the linker must not merge these.
#pragma once
#include <math.h>

namespace lethe::cpu {

// log(1 + e^x)
static inline double softplus(double x) { return x > 0 ? x + ::log1p(::exp(-x)) : ::log1p(::exp(x)); }
static inline double sigmoid(double x) { return 1 / (1 + ::exp(-x)); }

}  // namespace lethe::cpu
