// 2-byte copies of weights that matrix products read, kept until the weight is written or released.
//   bf16   of fp32 masters, for the linears; adamw writes it in the pass that updates the master
//   centred   of the head's weight, in fp16, with one more column of ones (unlearn_head.cu)
#pragma once
#include <cuda_runtime.h>

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "lethe/tensor.h"

namespace lethe::cuda {

enum class CopyKind : int { bf16 = 0, centred = 1 };

class KeptCopies {
 public:
  explicit KeptCopies(cudaStream_t stream) : stream_(stream) {}
  ~KeptCopies() { clear(); }
  KeptCopies(const KeptCopies&) = delete;
  KeptCopies& operator=(const KeptCopies&) = delete;

  struct Copy {
    void* data = nullptr;
    size_t bytes = 0;
    uint64_t version = 0;
    bool is_current = false;  // holds the version asked for
  };
  // The copy of x with room for `bytes`; the caller fills it when it is not current. x must have a buffer id.
  Copy of(const Tensor& x, CopyKind kind, size_t bytes);
  // The bf16 copy of a weight that is being written, if there is one: whoever writes the weight may write it too.
  Copy* find(const Tensor& x, CopyKind kind);
  void forget(uint64_t buffer);  // 0: all
  size_t bytes() const;
  // While a graph is recorded no copy counts as current, so that its repetitions make them anew, none is allocated, and
  // what is released waits for the end. What was recorded has not run: afterwards no copy is current either.
  void record(bool recording);

 private:
  void clear();
  void release(void* data);
  cudaStream_t stream_;
  std::unordered_map<uint64_t, Copy> copies_[2];
  bool recording_ = false;
  std::vector<void*> released_;  // while recording
};

}  // namespace lethe::cuda
