// The CUDA device over fibers, in the place of the fast device and of the host's memory: see CMakeLists.txt.
#include <cstdlib>

#include "core/host_memory.h"
#include "cuda_loader/cuda_device.h"
#include "lethe/error.h"

namespace lethe {

Device& cuda_on_host();

Device& cuda_on_host() {
  static Device& device = *[] {
    setenv("LETHE_GEMM", "plain", 1);        // there is no cuBLASLt here
    setenv("LETHE_HEAD_LOGITS", "fp32", 0);  // what the suites' budgets are for; fp16_logits_test.cpp has the other
    const CudaFunctions functions{lethe_cuda_abi,   lethe_cuda_error,  lethe_cuda_open,
                                  lethe_cuda_alloc, lethe_cuda_free,   lethe_cuda_write,
                                  lethe_cuda_read,  lethe_cuda_forget, lethe_cuda_call};
    return make_cuda_device(functions, 0).release();
  }();
  return device;
}

Device& cuda_device() { return cuda_on_host(); }
Memory& host_memory() { return cuda_on_host().memory(); }

}  // namespace lethe
