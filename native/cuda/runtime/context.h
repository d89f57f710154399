// One GPU as the operators see it: a stream that all work goes through in order, and what is kept between calls.
#pragma once
#include <cuda_runtime.h>

#include <memory>
#include <string>
#include <vector>

#include "cuda/kernels/gemm.h"
#include "cuda/kernels/index_error.cuh"
#include "cuda/runtime/host_copies.h"
#include "cuda/runtime/kept_copies.h"
#include "cuda/runtime/scratch.h"
#include "cuda/runtime/staging.h"
#include "lethe/tensor.h"

namespace lethe::cuda {

class CublasLt;

// Settings that change speed and memory, not meaning. From the environment when a device is opened, or through the C
// interface.
struct Settings {
  bool fp32_logits = false;                  // LETHE_HEAD_LOGITS=fp32: exact logits in the head
  int64_t head_bytes = int64_t{1536} << 20;  // LETHE_HEAD_BYTES: budget for the logits of a chunk
  bool plain_gemm = false;                   // LETHE_GEMM=plain: no cuBLASLt
  unsigned row_cluster = 0;                  // LETHE_ROW_CLUSTER: blocks per row of the head's pass; 0 chooses
  bool streamed_rows = false;                // the head's pass reads each row three times, as before sm_90
};

// Throws invalid_argument where a variable cannot be read.
Settings settings_of_environment();

class Context {
 public:
  explicit Context(int ordinal);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  cudaStream_t stream() const { return stream_; }
  int num_multiprocessors() const { return properties_.multiProcessorCount; }
  bool has_clusters() const { return properties_.major >= 9; }
  const cudaDeviceProp& properties() const { return properties_; }
  int ordinal() const { return ordinal_; }
  IndexError* index_error() { return index_error_; }
  Workspace& workspace() { return workspace_; }
  KeptCopies& copies() { return copies_; }
  HostCopies& host_copies() { return host_copies_; }
  Settings& settings() { return settings_; }
  int64_t& plain_products() { return plain_products_; }  // that cuBLASLt was asked for and did not take
  CublasLt& cublaslt();  // opens it at the first call; throws Error{not_available} with where it was looked for

  void* allocate(size_t bytes);
  void release(void* data);
  void write(void* to, const void* host, size_t bytes);
  void upload(void* to, const void* host, size_t bytes);  // into working memory
  void read(void* host, const void* from, size_t bytes);  // waits; throws what a kernel found wrong before
  void synchronize();
  void zero(void* data, size_t bytes);

  void begin_capture();
  void* end_capture();  // a graph for launch_graph
  void launch_graph(void* graph);
  void destroy_graph(void* graph);
  bool is_capturing() const { return capturing_; }

 private:
  void throw_index_error();
  void require_running(const char* op) const;  // throws while a graph is recorded

  int ordinal_;
  cudaDeviceProp properties_ = {};
  cudaStream_t stream_;
  Settings settings_;
  Workspace workspace_;
  KeptCopies copies_;
  HostCopies host_copies_;
  Staging staging_;
  IndexError* index_error_ = nullptr;
  std::unique_ptr<CublasLt> cublaslt_;
  int64_t plain_products_ = 0;
  bool capturing_ = false;
  std::vector<void*> released_;  // while a graph was recorded
};

// What was freed on `stream` goes back to the driver, for others to use.
void give_back_memory(int ordinal, cudaStream_t stream);

// x in bf16: itself, the kept copy, or (of memory outside the store) one in `scratch`.
const void* bf16_weight(Context& context, const Tensor& x, int64_t count, Scratch& scratch);
// x in fp32: itself or a copy in `scratch`.
const float* fp32_weight(Context& context, const Tensor& x, int64_t count, Scratch& scratch);

}  // namespace lethe::cuda
