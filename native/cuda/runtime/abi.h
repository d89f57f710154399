// A number that differs whenever the argument structs differ: the addon and liblethe_cuda are built apart.
#pragma once
#include "lethe/ops.h"

namespace lethe::cuda {

inline constexpr uint64_t interface_version = 3;

constexpr uint64_t abi_number() {
  uint64_t hash = 1469598103934665603U ^ interface_version;
  const auto mix = [&hash](const char* text) {
    for (; *text; ++text) hash = (hash ^ static_cast<unsigned char>(*text)) * 1099511628211U;
  };
#define LETHE_MIX_DIM(name) mix("D" #name);
#define LETHE_MIX_TENSOR(kind, dtype, name, shape) mix("T" #kind #dtype #name shape);
#define LETHE_MIX_OTHER(name) mix("N" #name);
#define LETHE_MIX(stem) \
  mix(#stem);           \
  LETHE_FIELDS_##stem(LETHE_MIX_DIM, LETHE_MIX_TENSOR, LETHE_MIX_OTHER, LETHE_MIX_OTHER, LETHE_MIX_OTHER)
  LETHE_OPERATORS(LETHE_MIX)
#undef LETHE_MIX
#undef LETHE_MIX_DIM
#undef LETHE_MIX_TENSOR
#undef LETHE_MIX_OTHER
  return hash ^ sizeof(Tensor);
}

}  // namespace lethe::cuda
