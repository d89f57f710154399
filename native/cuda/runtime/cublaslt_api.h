// What Lethe uses of cublasLt.h, which need not be installed where this is compiled. tests/headers.cpp holds every
// number and prototype against the real header where there is one.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>

namespace lethe::cuda::cublaslt {

using Handle = void*;  // of the library, a description, a layout or a preference

struct Algorithm {  // cublasLtMatmulAlgo_t
  uint64_t data[8];
};
struct Heuristic {  // cublasLtMatmulHeuristicResult_t
  Algorithm algorithm;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};

inline constexpr int compute_fp32 = 68;                                         // CUBLAS_COMPUTE_32F
inline constexpr int data_fp32 = 0, data_fp16 = 2, data_bf16 = 14;              // cudaDataType
inline constexpr int transpose_a = 3, transpose_b = 4;                          // cublasLtMatmulDescAttributes_t
inline constexpr int as_it_is = 0, transposed = 1;                              // cublasOperation_t
inline constexpr int workspace_limit = 1, reduction_mask = 3, alignment_a = 5;  // cublasLtMatmulPreferenceAttributes_t
inline constexpr uint32_t reduce_in_fp32 = 2;          // CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE: no atomics
inline constexpr int success = 0, no_memory_left = 3;  // cublasStatus_t

using Create = int(Handle*);
using Destroy = int(Handle);
using DescCreate = int(Handle*, int compute_type, int scale_type);
using Set = int(Handle, int attribute, const void*, size_t);
using LayoutCreate = int(Handle*, int type, uint64_t rows, uint64_t cols, int64_t ld);
using GetHeuristic = int(Handle, Handle desc, Handle a, Handle b, Handle c, Handle d, Handle preference, int most,
                         Heuristic*, int* found);
using Matmul = int(Handle, Handle desc, const void* alpha, const void* a, Handle, const void* b, Handle,
                   const void* beta, const void* c, Handle, void* d, Handle, const Algorithm*, void* workspace, size_t,
                   cudaStream_t);

}  // namespace lethe::cuda::cublaslt
