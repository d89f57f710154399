#include "cpu/kept_bf16.h"

#include <unordered_map>
#include <utility>

#include "core/buffer_store.h"
#include "core/host_memory.h"
#include "cpu/runtime.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {
namespace {

// A copy of some version of a buffer; its memory is reused by the next version.
class Copy {
 public:
  Copy() { host_memory(); }  // outlives this thread's copies
  Copy(const Copy&) = delete;
  Copy& operator=(const Copy&) = delete;
  ~Copy() { clear(); }

  void clear() {
    host_memory().release(std::exchange(data_, nullptr));
    size_ = 0;
    buffer_ = 0;
  }

  const uint16_t* of(const Tensor& x, int64_t count) {
    if (buffer_ == x.buffer && version_ == x.version && count_ == count) return data_;
    const size_t bytes = static_cast<size_t>(count) * 2;
    if (size_ < bytes) {
      clear();
      data_ = static_cast<uint16_t*>(host_memory().allocate(bytes));
      size_ = bytes;
    }
    kernels().to_bf16(x.f32(), data_, count);
    buffer_ = x.buffer;
    version_ = x.version;
    count_ = count;
    return data_;
  }

 private:
  uint16_t* data_ = nullptr;
  size_t size_ = 0;
  int64_t count_ = 0;
  uint64_t buffer_ = 0, version_ = 0;
};

// Buffers belong to a thread, and so do their copies.
struct Copies {
  std::unordered_map<uint64_t, Copy> weights;
  Copy activation;
};

Copies& copies() {
  thread_local Copies instance;
  return instance;
}

void forget(uint64_t id) {
  Copies& all = copies();
  if (id != 0) {
    all.weights.erase(id);  // the activation's memory serves the next one
    return;
  }
  all.weights.clear();
  all.activation.clear();
}

bool is_kept(const Tensor& x, bool bf16) {
  if (!bf16 || !runtime().bf16 || x.buffer == 0) return false;
  static const bool observed = (observe_releases(forget), true);
  return observed;
}

}  // namespace

Operand weight_operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch) {
  if (!is_kept(x, bf16)) return operand(x.f32(), rows, cols, bf16, scratch);
  return {copies().weights[x.buffer].of(x, rows * cols), cols, false, true};
}

Operand activation_operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch) {
  if (!is_kept(x, bf16)) return operand(x.f32(), rows, cols, bf16, scratch);
  return {copies().activation.of(x, rows * cols), cols, false, true};
}

}  // namespace lethe::cpu
