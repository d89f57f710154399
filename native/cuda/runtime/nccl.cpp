#include "cuda/runtime/nccl.h"

#include <cstring>
#include <string>

#include "cuda/runtime/dynamic_library.h"
#include "cuda/runtime/nccl_api.h"
#include "lethe/error.h"

namespace lethe::cuda {
namespace {

using namespace nccl;

struct Library {
  DynamicLibrary file{"NCCL", "LETHE_NCCL", {"libnccl.so.2", "libnccl.so"}};
  GetId* get_id;
  InitRank* init_rank;
  Destroy* destroy;
  ErrorText* error_text;
  AllReduce* all_reduce;
  Broadcast* broadcast;
  ReduceScatter* reduce_scatter;
  AllGather* all_gather;

  Library() {
    file.find(get_id, "ncclGetUniqueId");
    file.find(init_rank, "ncclCommInitRank");
    file.find(destroy, "ncclCommDestroy");
    file.find(error_text, "ncclGetErrorString");
    file.find(all_reduce, "ncclAllReduce");
    file.find(broadcast, "ncclBroadcast");
    file.find(reduce_scatter, "ncclReduceScatter");
    file.find(all_gather, "ncclAllGather");
  }
};

// Never closed: its threads, and communicators, live until the process ends.
const Library& library() {
  static const Library& instance = *new Library;
  return instance;
}

void check_status(int status, const char* call) {
  if (status != 0)
    throw Error(Code::internal, "collective", std::string(call) + " failed: " + library().error_text(status));
}

int type_of(bool bf16) { return bf16 ? type_bf16 : type_fp32; }

}  // namespace

void new_collective_id(unsigned char* id) {
  Id made;
  check_status(library().get_id(&made), "ncclGetUniqueId");
  std::memcpy(id, made.bytes, sizeof(made.bytes));
}

Collective::Collective(cudaStream_t stream, const unsigned char* id, int rank, int ranks)
    : stream_(stream), rank_(rank) {
  Id given;
  std::memcpy(given.bytes, id, sizeof(given.bytes));
  check_status(library().init_rank(&communicator_, ranks, given, rank), "ncclCommInitRank");
}

Collective::~Collective() { library().destroy(communicator_); }

void Collective::all_reduce(void* data, int64_t count, bool bf16) {
  check_status(
      library().all_reduce(data, data, static_cast<size_t>(count), type_of(bf16), op_sum, communicator_, stream_),
      "ncclAllReduce");
}

void Collective::broadcast(void* data, int64_t count, bool bf16, int root) {
  check_status(library().broadcast(data, data, static_cast<size_t>(count), type_of(bf16), root, communicator_, stream_),
               "ncclBroadcast");
}

// In place means: this rank's part is where it would be in the whole.
void Collective::reduce_scatter(void* data, int64_t count, bool bf16) {
  char* mine = static_cast<char*>(data) + rank_ * count * (bf16 ? 2 : 4);
  check_status(
      library().reduce_scatter(data, mine, static_cast<size_t>(count), type_of(bf16), op_sum, communicator_, stream_),
      "ncclReduceScatter");
}

void Collective::all_gather(void* data, int64_t count, bool bf16) {
  const char* mine = static_cast<const char*>(data) + rank_ * count * (bf16 ? 2 : 4);
  check_status(library().all_gather(mine, data, static_cast<size_t>(count), type_of(bf16), communicator_, stream_),
               "ncclAllGather");
}

}  // namespace lethe::cuda
