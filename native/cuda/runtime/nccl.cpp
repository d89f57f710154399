#include "cuda/runtime/nccl.h"

#include <cstring>
#include <string>

#include "cuda/runtime/dynamic_library.h"
#include "cuda/runtime/nccl_api.h"
#include "cuda/runtime/status.h"
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
  AsyncError* async_error;
  AllReduce* all_reduce;
  Broadcast* broadcast;
  ReduceScatter* reduce_scatter;
  AllGather* all_gather;

  Library() {
    file.find(get_id, "ncclGetUniqueId");
    file.find(init_rank, "ncclCommInitRank");
    file.find(destroy, "ncclCommDestroy");
    file.find(error_text, "ncclGetErrorString");
    file.find(async_error, "ncclCommGetAsyncError");
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
  if (status != success)
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
  check(cudaEventCreateWithFlags(&done_, cudaEventDisableTiming), "collective");
}

Collective::~Collective() {
  library().destroy(communicator_);
  cudaEventDestroy(done_);
}

// What was queued is marked, so that it can be asked whether it is done.
void Collective::queued(int status, const char* call) {
  check_status(status, call);
  check(cudaEventRecord(done_, stream_), call);
}

bool Collective::is_done() {
  int status = success;
  check_status(library().async_error(communicator_, &status), "ncclCommGetAsyncError");
  if (status != in_progress) check_status(status, "a collective of NCCL");
  const cudaError_t found = cudaEventQuery(done_);
  if (found != cudaErrorNotReady) check(found, "collective");
  return found == cudaSuccess;
}

void Collective::all_reduce(void* data, int64_t count, bool bf16) {
  queued(library().all_reduce(data, data, static_cast<size_t>(count), type_of(bf16), op_sum, communicator_, stream_),
         "ncclAllReduce");
}

void Collective::broadcast(void* data, int64_t count, bool bf16, int root) {
  queued(library().broadcast(data, data, static_cast<size_t>(count), type_of(bf16), root, communicator_, stream_),
         "ncclBroadcast");
}

// In place means: this rank's part is where it would be in the whole.
void Collective::reduce_scatter(void* data, int64_t count, bool bf16) {
  char* mine = static_cast<char*>(data) + rank_ * count * (bf16 ? 2 : 4);
  queued(
      library().reduce_scatter(data, mine, static_cast<size_t>(count), type_of(bf16), op_sum, communicator_, stream_),
      "ncclReduceScatter");
}

void Collective::all_gather(void* data, int64_t count, bool bf16) {
  const char* mine = static_cast<const char*>(data) + rank_ * count * (bf16 ? 2 : 4);
  queued(library().all_gather(mine, data, static_cast<size_t>(count), type_of(bf16), communicator_, stream_),
         "ncclAllGather");
}

}  // namespace lethe::cuda
