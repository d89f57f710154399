#include "cuda/runtime/context.h"

#include <cstring>

#include "core/environment.h"
#include "core/operator_table.h"
#include "cuda/runtime/cublaslt.h"
#include "cuda/runtime/status.h"

namespace lethe::cuda {
namespace {

std::string version_text(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

// Says in one line why there is no GPU to use; called before anything is asked of the device.
cudaDeviceProp open_device(int ordinal) {
  int driver = 0, runtime = 0, count = 0;
  cudaRuntimeGetVersion(&runtime);
  if (cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0)
    throw Error(Code::not_available, "cuda",
                "there is no CUDA device: no NVIDIA driver is installed (libcuda.so.1 was not found)");
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver || driver / 1000 < runtime / 1000)
    throw Error(Code::not_available, "cuda",
                "the NVIDIA driver is too old: it supports CUDA " + version_text(driver) + ", this build needs CUDA " +
                    std::to_string(runtime / 1000) + " or newer");
  if (status != cudaSuccess || count == 0)
    throw Error(Code::not_available, "cuda",
                std::string("there is no CUDA device: ") +
                    (status == cudaSuccess ? "no GPU was found" : cudaGetErrorString(status)));
  if (ordinal < 0 || ordinal >= count)
    throw Error(Code::invalid_argument, "cuda",
                "device: expected 0 to " + std::to_string(count - 1) + ", received " + std::to_string(ordinal));
  cudaDeviceProp properties = {};
  check(cudaSetDevice(ordinal), "cuda");
  check(cudaGetDeviceProperties(&properties, ordinal), "cuda");
  if (properties.major < 8)
    throw Error(Code::not_available, "cuda",
                std::string(properties.name) + " has compute capability " + std::to_string(properties.major) + "." +
                    std::to_string(properties.minor) + "; bf16 tensor cores need 8.0 or newer");
  return properties;
}

cudaStream_t new_stream(int ordinal) {
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "cuda");
  // Freed memory stays with the process: giving it back to the driver synchronises.
  cudaMemPool_t pool = nullptr;
  uint64_t keep = UINT64_MAX;
  check(cudaDeviceGetDefaultMemPool(&pool, ordinal), "cuda");
  check(cudaMemPoolSetAttribute(pool, cudaMemPoolAttrReleaseThreshold, &keep), "cuda");
  return stream;
}

}  // namespace

Settings settings_of_environment() {
  Settings settings;
  settings.fp32_logits = environment_choice("LETHE_HEAD_LOGITS", {"fp32", "fp16"}) == "fp32";
  settings.plain_gemm = environment_choice("LETHE_GEMM", {"plain"}) == "plain";
  settings.head_bytes = environment_number("LETHE_HEAD_BYTES", settings.head_bytes);
  settings.row_cluster = static_cast<unsigned>(environment_number("LETHE_ROW_CLUSTER", settings.row_cluster));
  return settings;
}

Context::Context(int ordinal)
    : ordinal_(ordinal),
      properties_(open_device(ordinal)),
      stream_(new_stream(ordinal)),
      settings_(settings_of_environment()),
      workspace_(stream_),
      copies_(stream_),
      staging_(stream_) {
  void* error = nullptr;
  check(cudaMallocAsync(&error, sizeof(IndexError), stream_), "cuda");
  index_error_ = static_cast<IndexError*>(error);
  zero(index_error_, sizeof(IndexError));
}

Context::~Context() { cudaFreeAsync(index_error_, stream_); }

CublasLt& Context::cublaslt() {
  if (!cublaslt_) cublaslt_ = std::make_unique<CublasLt>();
  return *cublaslt_;
}

// What a graph's memory is, and what waits, is not for a graph: CUDA would refuse it with an error that says less.
void Context::require_running(const char* op) const {
  if (capturing_)
    throw Error(Code::invalid_argument, op,
                "a graph is being recorded: run the same work once before, and read and write outside of it");
}

void* Context::allocate(size_t bytes) {
  require_running("alloc");
  void* data = nullptr;
  const cudaError_t status = cudaMallocAsync(&data, bytes ? bytes : 1, stream_);
  if (status == cudaSuccess) return data;
  cudaGetLastError();
  size_t free = 0, total = 0;
  cudaMemGetInfo(&free, &total);
  throw Error(Code::out_of_memory, "alloc",
              "the GPU has no " + std::to_string(bytes) + " bytes left (" + std::to_string(free) + " of " +
                  std::to_string(total) + " are free)");
}

void Context::release(void* data) {
  host_copies_.changed(data, 1);
  if (capturing_)
    released_.push_back(data);
  else
    cudaFreeAsync(data, stream_);
}

void Context::upload(void* to, const void* host, size_t bytes) {
  require_running("write");
  staging_.write(to, host, bytes);
}

void Context::write(void* to, const void* host, size_t bytes) {
  require_running("write");
  staging_.write(to, host, bytes);
  host_copies_.wrote(to, host, bytes);
}

void Context::read(void* host, const void* from, size_t bytes) {
  require_running("read");
  staging_.read(host, from, bytes);
  throw_index_error();
}

void Context::synchronize() {
  require_running("synchronize");
  check(cudaStreamSynchronize(stream_), "synchronize");
  throw_index_error();
}

void Context::zero(void* data, size_t bytes) {
  if (bytes) check(cudaMemsetAsync(data, 0, bytes, stream_), "zero");
}

void Context::throw_index_error() {
  IndexError error = {};
  staging_.read(&error, index_error_, sizeof(error));
  if (!error.is_set) return;
  zero(index_error_, sizeof(error));
  static constexpr const char* names[] = {"ids", "positions", "targets", "first..last of query"};
  throw Error(Code::invalid_argument, operators()[static_cast<size_t>(error.op)].name,
              std::string(names[static_cast<int>(error.kind)]) + "[" + std::to_string(error.index) +
                  "]: expected an index in [" + std::to_string(error.low) + ", " + std::to_string(error.high) +
                  "), received " + std::to_string(error.value) + " (found while waiting for the GPU)");
}

void Context::begin_capture() {
  require_running("capture");
  check(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), "capture");
  capturing_ = true;
  workspace_.forbid_growth(true);
  copies_.record(true);
}

void* Context::end_capture() {
  if (!capturing_) throw Error(Code::invalid_argument, "capture", "no graph is being recorded");
  cudaGraph_t graph = nullptr;
  cudaGraphExec_t exec = nullptr;
  const cudaError_t ended = cudaStreamEndCapture(stream_, &graph);
  capturing_ = false;
  workspace_.forbid_growth(false);
  copies_.record(false);
  for (void* data : released_) cudaFreeAsync(data, stream_);
  released_.clear();
  check(ended, "capture");
  const cudaError_t status = cudaGraphInstantiate(&exec, graph, 0);
  cudaGraphDestroy(graph);
  check(status, "capture");
  return exec;
}

void Context::launch_graph(void* graph) {
  check(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), stream_), "launch_graph");
}

void give_back_memory(int ordinal, cudaStream_t stream) {
  cudaMemPool_t pool = nullptr;
  cudaStreamSynchronize(stream);
  if (cudaDeviceGetDefaultMemPool(&pool, ordinal) == cudaSuccess) cudaMemPoolTrimTo(pool, 0);
}

void Context::destroy_graph(void* graph) { cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)); }

}  // namespace lethe::cuda
