#include <cuda_runtime.h>
#include <sys/mman.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <vector>

namespace fake {
namespace {

constexpr size_t page = 4096;

struct Mapping {
  void* base;
  size_t bytes;
};
std::map<void*, Mapping>& mappings() {
  static std::map<void*, Mapping> all;
  return all;
}

}  // namespace

void* allocate(size_t bytes) {
  const size_t rounded = (bytes + 15) / 16 * 16, pages = (rounded + page - 1) / page * page;
  void* base = mmap(nullptr, pages + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (base == MAP_FAILED) return nullptr;
  mprotect(static_cast<char*>(base) + pages, page, PROT_NONE);
  std::memset(base, 0xff, pages);
  void* data = static_cast<char*>(base) + pages - rounded;
  mappings()[data] = {base, pages + page};
  return data;
}

void release(void* data) {
  const auto found = mappings().find(data);
  if (found == mappings().end()) return;
  munmap(found->second.base, found->second.bytes);
  mappings().erase(found);
}

size_t live_blocks() { return mappings().size(); }

}  // namespace fake

struct FakeGraph {
  std::vector<std::function<void()>> work;
};
struct FakeGraphExec {
  std::vector<std::function<void()>> work;
};
struct FakeStream {
  std::unique_ptr<FakeGraph> recorded;
};
struct FakeEvent {
  bool in_graph = false, was_asked = false;
};

namespace fake {

void submit(cudaStream_t stream, std::function<void()> work) {
  if (stream->recorded)
    stream->recorded->work.push_back(std::move(work));
  else
    work();
}

}  // namespace fake

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"fibers on the host", size_t{4} << 30, 9, 0, 4, size_t{227} << 10};
  return cudaSuccess;
}
cudaError_t cudaDriverGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
cudaError_t cudaRuntimeGetVersion(int* version) {
  *version = 13000;
  return cudaSuccess;
}
const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess:
      return "no error";
    case cudaErrorMemoryAllocation:
      return "out of memory";
    default:
      return "not allowed";
  }
}
cudaError_t cudaGetLastError() { return cudaSuccess; }
cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  *free = *total = size_t{4} << 30;
  return cudaSuccess;
}
// CUDA would give memory of the graph's own, which nothing here expects.
cudaError_t cudaMallocAsync(void** data, size_t bytes, cudaStream_t stream) {
  if (stream->recorded) return cudaErrorStreamCaptureUnsupported;
  if (bytes > size_t{4} << 30) return cudaErrorMemoryAllocation;
  *data = fake::allocate(bytes);
  return *data ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeAsync(void* data, cudaStream_t stream) {
  if (stream->recorded) return cudaErrorInvalidValue;
  fake::release(data);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** data, size_t bytes) {
  *data = std::malloc(bytes);
  return *data ? cudaSuccess : cudaErrorMemoryAllocation;
}
cudaError_t cudaFreeHost(void* data) {
  std::free(data);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  fake::submit(stream, [=] { std::memcpy(to, from, bytes); });
  return cudaSuccess;
}
cudaError_t cudaMemsetAsync(void* to, int value, size_t bytes, cudaStream_t stream) {
  fake::submit(stream, [=] { std::memset(to, value, bytes); });
  return cudaSuccess;
}
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new FakeStream;
  return cudaSuccess;
}
cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  delete stream;
  return cudaSuccess;
}
cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  return stream->recorded ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return stream->recorded && !event->in_graph ? cudaErrorStreamCaptureIsolation : cudaSuccess;
}
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new FakeEvent;
  return cudaSuccess;
}
cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->in_graph = stream->recorded != nullptr;
  return cudaSuccess;
}
cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  return event->in_graph ? cudaErrorStreamCaptureUnsupported : cudaSuccess;
}
// Work is done when it is queued, and asked for once more, so that callers ask again.
cudaError_t cudaEventQuery(cudaEvent_t event) {
  event->was_asked = !event->was_asked;
  return event->was_asked ? cudaErrorNotReady : cudaSuccess;
}
cudaError_t cudaDeviceGetDefaultMemPool(cudaMemPool_t*, int) { return cudaSuccess; }
cudaError_t cudaMemPoolSetAttribute(cudaMemPool_t, cudaMemPoolAttr, void*) { return cudaSuccess; }
cudaError_t cudaMemPoolTrimTo(cudaMemPool_t, size_t) { return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->recorded = std::make_unique<FakeGraph>();
  return cudaSuccess;
}
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->recorded.release();
  return *graph ? cudaSuccess : cudaErrorInvalidValue;
}
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* exec, cudaGraph_t graph, unsigned long long) {
  *exec = new FakeGraphExec{graph->work};
  return cudaSuccess;
}
cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
  for (const auto& work : exec->work) fake::submit(stream, work);
  return cudaSuccess;
}
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
  delete exec;
  return cudaSuccess;
}
