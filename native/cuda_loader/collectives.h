// Collectives over NCCL on the CUDA device, through the C interface of lethe/cuda.h.
#pragma once
#include <string>

#include "lethe/cuda.h"

namespace lethe {

struct CudaCollectives {
  lethe_cuda* device = nullptr;
  decltype(&lethe_cuda_error) error = nullptr;
  decltype(&lethe_cuda_collective_id) id = nullptr;
  decltype(&lethe_cuda_collective_open) open = nullptr;
  decltype(&lethe_cuda_all_reduce) all_reduce = nullptr;
  decltype(&lethe_cuda_broadcast) broadcast = nullptr;
  decltype(&lethe_cuda_reduce_scatter) reduce_scatter = nullptr;
  decltype(&lethe_cuda_all_gather) all_gather = nullptr;
  decltype(&lethe_cuda_collective_done) done = nullptr;
};

// Those of the device that cuda_device() opens. Throws Error{not_available} where there is none.
CudaCollectives cuda_collectives();

// Throws the error of a function of the interface that has returned `code`; nothing where that is 0.
void check_cuda(int code, const std::string& text);

}  // namespace lethe
