// What Lethe uses of nccl.h, which need not be installed where this is compiled. tests/headers.cpp holds every number
// and prototype against the real header where there is one.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>

namespace lethe::cuda::nccl {

struct Id {  // ncclUniqueId
  char bytes[128];
};
inline constexpr int type_fp32 = 7, type_bf16 = 9, op_sum = 0;  // ncclDataType_t, ncclRedOp_t
inline constexpr int success = 0, in_progress = 7;              // ncclResult_t

using GetId = int(Id*);
using InitRank = int(void** communicator, int ranks, Id, int rank);
using Destroy = int(void* communicator);
using ErrorText = const char*(int);
using AsyncError = int(void* communicator, int* status);
using AllReduce = int(const void*, void*, size_t, int type, int op, void*, cudaStream_t);
using Broadcast = int(const void*, void*, size_t, int type, int root, void*, cudaStream_t);
using ReduceScatter = int(const void*, void*, size_t, int type, int op, void*, cudaStream_t);
using AllGather = int(const void*, void*, size_t, int type, void*, cudaStream_t);

}  // namespace lethe::cuda::nccl
