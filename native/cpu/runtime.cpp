#include "cpu/runtime.h"

#ifdef LETHE_X86
#include <cpuid.h>
#endif
#include <dnnl.h>
#include <omp.h>

#include <string_view>

#include "core/environment.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {
namespace {

#ifdef LETHE_X86
// clang 14's __builtin_cpu_supports does not know it.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
#endif

const Kernels& choose(std::string_view limit) {
  if (limit == "generic") return generic::kernels();
#ifdef LETHE_X86
  const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                          __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (limit.empty() && has_avx512 && __builtin_cpu_supports("avx512bf16")) return avx512_bf16::kernels();
  if (limit != "avx2" && has_avx512) return avx512::kernels();
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) return avx2::kernels();
#endif
  return generic::kernels();
}

struct State {
  const Kernels* kernels;
  Runtime runtime;
};

State describe(std::string_view limit) {
  const Kernels& chosen = choose(limit);
  const dnnl_version_t* version = dnnl_version();
  return {
      &chosen,
      {chosen.bf16 ? "avx512" : chosen.name, chosen.bf16, chosen.bf16 || chosen.name == std::string_view("avx512"),
       std::to_string(version->major) + "." + std::to_string(version->minor) + "." + std::to_string(version->patch)}};
}

State& state() {
  static State found = describe(environment_choice("LETHE_SIMD", {"avx512", "avx2", "generic"}));
  return found;
}

}  // namespace

const Kernels& kernels() { return *state().kernels; }
const Runtime& runtime() { return state().runtime; }
void limit_simd(const std::string& limit) { state() = describe(limit); }

void set_num_threads(int count) { omp_set_num_threads(count); }
int num_threads() { return omp_get_max_threads(); }

}  // namespace lethe::cpu
