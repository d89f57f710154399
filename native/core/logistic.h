// The logistic function and its integral, in fp64, without overflow. Internal linkage: vector code is compiled once per
// instruction set, and the linker must not merge these.
#pragma once
#include <math.h>

#include "core/host_device.h"

namespace lethe {

// log(1 + e^x)
LETHE_HD static inline double softplus(double x) { return (x > 0 ? x : 0) + ::log1p(::exp(-::fabs(x))); }
LETHE_HD static inline double sigmoid(double x) { return 1 / (1 + ::exp(-x)); }

}  // namespace lethe
