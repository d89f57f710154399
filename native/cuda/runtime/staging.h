// Copies between the host and the device. A write returns when the host's memory may change; its bytes travel on a
// stream of their own, beside the kernels that run, and reach their place in the order of the kernels' stream.
#pragma once
#include <cuda_runtime.h>

#include <array>
#include <cstddef>

namespace lethe::cuda {

class Staging {
 public:
  explicit Staging(cudaStream_t compute);
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  void write(void* to, const void* host, size_t bytes);
  void read(void* host, const void* from, size_t bytes);  // waits

 private:
  static constexpr size_t slot_bytes = size_t{1} << 20, num_slots = 32;
  cudaStream_t compute_, copies_ = nullptr;
  char *pinned_ = nullptr, *device_ = nullptr;
  std::array<cudaEvent_t, num_slots> arrived_ = {}, consumed_ = {};
  size_t next_ = 0, used_ = 0;
};

}  // namespace lethe::cuda
