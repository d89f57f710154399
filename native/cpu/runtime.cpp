#include "cpu/runtime.h"

#include <dnnl.h>
#include <omp.h>

#include <cstdlib>
#include <string_view>

#include "cpu/vector/kernels.h"

namespace lethe::cpu {
namespace {

const Kernels& choose() {
  const char* asked = std::getenv("LETHE_SIMD");
  const std::string_view limit = asked ? asked : "avx512";
  if (limit == "generic") return generic::kernels();
#ifdef LETHE_X86
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (limit == "avx512" && has_avx512) return avx512::kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2::kernels();
#endif
  return generic::kernels();
}

bool has_bf16() {
#ifdef LETHE_X86
  return std::string_view(kernels().name) == "avx512" && __builtin_cpu_supports("avx512bf16");
#else
  return false;
#endif
}

Runtime detect() {
  const dnnl_version_t* version = dnnl_version();
  return {kernels().name, has_bf16(),
          std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch)};
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

const Runtime& runtime() {
  static const Runtime found = detect();
  return found;
}

void set_num_threads(int count) { omp_set_num_threads(count); }
int num_threads() { return omp_get_max_threads(); }

}  // namespace lethe::cpu
