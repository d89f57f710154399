// Which of NVIDIA's headers headers.cpp was compiled against.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lethe::cuda {

extern const bool has_cublaslt_header, has_nccl_header;

}  // namespace lethe::cuda
