// The numbers, structs and prototypes of cublaslt_api.h and nccl_api.h beside the real headers', at compile time: that
// this file compiles is the test. Where a header is not installed its part is left out, and counted as skipped.
#include "cuda/tests/headers.h"

#include <type_traits>

#if LETHE_HAS_CUBLASLT
#include <cublasLt.h>

#include "cuda/runtime/cublaslt_api.h"
#endif
#if LETHE_HAS_NCCL
#include <nccl.h>

#include "cuda/runtime/nccl_api.h"
#endif

namespace lethe::cuda {
namespace {

// Whether a call treats both alike: pointers, numbers (and enumerators) of a size, structs of a size and alignment.
template <class Ours, class Theirs>
constexpr bool passes_as() {
  if (std::is_pointer_v<Ours> || std::is_pointer_v<Theirs>) return std::is_pointer_v<Ours> && std::is_pointer_v<Theirs>;
  if (std::is_class_v<Ours> != std::is_class_v<Theirs>) return false;
  if (std::is_floating_point_v<Ours> != std::is_floating_point_v<Theirs>) return false;
  return sizeof(Ours) == sizeof(Theirs) && alignof(Ours) == alignof(Theirs);
}

template <class Ours, class Theirs>
struct Matches : std::false_type {};
template <class R, class... A, class S, class... B>
struct Matches<R(A...), S(B...)> {
  static constexpr bool value = [] {
    if constexpr (sizeof...(A) == sizeof...(B)) return passes_as<R, S>() && (passes_as<A, B>() && ...);
    return false;
  }();
};

template <class Ours, class Theirs>
constexpr bool matches = Matches<Ours, std::remove_pointer_t<Theirs>>::value;

// The comparison itself can fail.
static_assert(matches<int(void*, int), unsigned(char*, unsigned)>);
static_assert(!matches<int(void*, int), int(void*)>);
static_assert(!matches<int(void*, int), int(int, void*)>);
static_assert(!matches<int(int), int(int64_t)>);

#if LETHE_HAS_CUBLASLT
using namespace cublaslt;
static_assert(sizeof(Algorithm) == sizeof(cublasLtMatmulAlgo_t));
static_assert(sizeof(Heuristic) == sizeof(cublasLtMatmulHeuristicResult_t));
static_assert(offsetof(Heuristic, algorithm) == offsetof(cublasLtMatmulHeuristicResult_t, algo));
static_assert(offsetof(Heuristic, workspace) == offsetof(cublasLtMatmulHeuristicResult_t, workspaceSize));
static_assert(offsetof(Heuristic, state) == offsetof(cublasLtMatmulHeuristicResult_t, state));
static_assert(offsetof(Heuristic, waves) == offsetof(cublasLtMatmulHeuristicResult_t, wavesCount));
static_assert(compute_fp32 == CUBLAS_COMPUTE_32F);
static_assert(data_fp32 == CUDA_R_32F && data_fp16 == CUDA_R_16F && data_bf16 == CUDA_R_16BF);
static_assert(transpose_a == CUBLASLT_MATMUL_DESC_TRANSA && transpose_b == CUBLASLT_MATMUL_DESC_TRANSB);
static_assert(as_it_is == CUBLAS_OP_N && transposed == CUBLAS_OP_T && sizeof(cublasOperation_t) == sizeof(int));
static_assert(workspace_limit == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES);
static_assert(reduction_mask == CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK);
static_assert(alignment_a == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
static_assert(alignment_a + 1 == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES);
static_assert(alignment_a + 2 == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES);
static_assert(alignment_a + 3 == CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES);
static_assert(reduce_in_fp32 == CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE);
static_assert(success == CUBLAS_STATUS_SUCCESS && no_memory_left == CUBLAS_STATUS_ALLOC_FAILED);
static_assert(matches<Create, decltype(&cublasLtCreate)>);
static_assert(matches<Destroy, decltype(&cublasLtDestroy)>);
static_assert(matches<DescCreate, decltype(&cublasLtMatmulDescCreate)>);
static_assert(matches<Destroy, decltype(&cublasLtMatmulDescDestroy)>);
static_assert(matches<Set, decltype(&cublasLtMatmulDescSetAttribute)>);
static_assert(matches<LayoutCreate, decltype(&cublasLtMatrixLayoutCreate)>);
static_assert(matches<Destroy, decltype(&cublasLtMatrixLayoutDestroy)>);
static_assert(matches<Create, decltype(&cublasLtMatmulPreferenceCreate)>);
static_assert(matches<Destroy, decltype(&cublasLtMatmulPreferenceDestroy)>);
static_assert(matches<Set, decltype(&cublasLtMatmulPreferenceSetAttribute)>);
static_assert(matches<GetHeuristic, decltype(&cublasLtMatmulAlgoGetHeuristic)>);
static_assert(matches<Matmul, decltype(&cublasLtMatmul)>);
#endif

#if LETHE_HAS_NCCL
static_assert(sizeof(nccl::Id) == sizeof(ncclUniqueId) && sizeof(nccl::Id) == NCCL_UNIQUE_ID_BYTES);
static_assert(nccl::type_fp32 == ncclFloat32 && nccl::type_bf16 == ncclBfloat16 && nccl::op_sum == ncclSum);
static_assert(matches<nccl::GetId, decltype(&ncclGetUniqueId)>);
static_assert(matches<nccl::InitRank, decltype(&ncclCommInitRank)>);
static_assert(matches<nccl::Destroy, decltype(&ncclCommDestroy)>);
static_assert(matches<nccl::ErrorText, decltype(&ncclGetErrorString)>);
static_assert(matches<nccl::AsyncError, decltype(&ncclCommGetAsyncError)>);
static_assert(nccl::success == ncclSuccess && nccl::in_progress == ncclInProgress);
static_assert(matches<nccl::AllReduce, decltype(&ncclAllReduce)>);
static_assert(matches<nccl::Broadcast, decltype(&ncclBroadcast)>);
static_assert(matches<nccl::ReduceScatter, decltype(&ncclReduceScatter)>);
static_assert(matches<nccl::AllGather, decltype(&ncclAllGather)>);
#endif

}  // namespace

const bool has_cublaslt_header = LETHE_HAS_CUBLASLT, has_nccl_header = LETHE_HAS_NCCL;

}  // namespace lethe::cuda
