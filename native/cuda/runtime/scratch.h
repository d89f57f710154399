// Working memory of one operator, from the device's workspace. Operators follow one another on one stream, so each may
// use what the one before has used. The workspace grows to the largest need and stays: none is allocated in the steady
// state.
#pragma once
#include <cuda_runtime.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace lethe::cuda {

class Workspace {
 public:
  explicit Workspace(cudaStream_t stream) : stream_(stream) {}
  ~Workspace();
  Workspace(const Workspace&) = delete;
  Workspace& operator=(const Workspace&) = delete;

  void* take(size_t bytes);  // 256-byte aligned, until the next reset
  void reset();
  void forbid_growth(bool forbidden) { fixed_ = forbidden; }
  size_t bytes() const;

 private:
  struct Block {
    char* data;
    size_t bytes, used;
  };
  cudaStream_t stream_;
  std::vector<Block> blocks_;
  bool fixed_ = false;
};

class Scratch {
 public:
  explicit Scratch(Workspace& workspace) : workspace_(workspace) {}
  ~Scratch() { workspace_.reset(); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  template <class T>
  T* of(int64_t count) {
    return static_cast<T*>(workspace_.take(static_cast<size_t>(count) * sizeof(T)));
  }

 private:
  Workspace& workspace_;
};

}  // namespace lethe::cuda
