// The CUDA device as the rest of the library sees it: a Device over the C interface of lethe/cuda.h.
#pragma once
#include <memory>

#include "lethe/cuda.h"
#include "lethe/device.h"

namespace lethe {

// The functions of the interface that the device needs, wherever they come from.
struct CudaFunctions {
  decltype(&lethe_cuda_abi) abi = nullptr;
  decltype(&lethe_cuda_error) error = nullptr;
  decltype(&lethe_cuda_open) open = nullptr;
  decltype(&lethe_cuda_alloc) alloc = nullptr;
  decltype(&lethe_cuda_free) free = nullptr;
  decltype(&lethe_cuda_write) write = nullptr;
  decltype(&lethe_cuda_read) read = nullptr;
  decltype(&lethe_cuda_forget) forget = nullptr;
  decltype(&lethe_cuda_call) call = nullptr;
};

// Throws Error{not_available} when the library was built for another version, or there is no GPU.
std::unique_ptr<Device> make_cuda_device(const CudaFunctions& functions, int ordinal);

}  // namespace lethe
