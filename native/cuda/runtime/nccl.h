// NCCL, opened at run time.
#pragma once
#include <cuda_runtime.h>

#include <cstdint>

namespace lethe::cuda {

void new_collective_id(unsigned char* id);  // 128 bytes; rank 0 makes it, every rank opens with it

// One communicator; sums over ranks, in place, on the stream.
class Collective {
 public:
  Collective(cudaStream_t stream, const unsigned char* id, int rank, int ranks);
  ~Collective();
  Collective(const Collective&) = delete;
  Collective& operator=(const Collective&) = delete;

  void all_reduce(void* data, int64_t count, bool bf16);
  void broadcast(void* data, int64_t count, bool bf16, int root);
  void reduce_scatter(void* data, int64_t count, bool bf16);  // count elements per rank
  void all_gather(void* data, int64_t count, bool bf16);
  bool is_done();  // the last of these; throws what NCCL has found

 private:
  void queued(int status, const char* call);

  cudaStream_t stream_;
  cudaEvent_t done_ = nullptr;
  int rank_;
  void* communicator_ = nullptr;
};

}  // namespace lethe::cuda
