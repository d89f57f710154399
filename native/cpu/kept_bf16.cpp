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
  ~Copy() { host_memory().release(data_); }


  const uint16_t* of(const Tensor& x, int64_t count) {
    if (version_ == x.version && count_ == count) return data_;
    if (count_ != count) {
      host_memory().release(std::exchange(data_, nullptr));
      count_ = 0;
      data_ = static_cast<uint16_t*>(host_memory().allocate(static_cast<size_t>(count) * 2));
    }
    kernels().to_bf16(x.f32(), data_, count);
    version_ = x.version;
    count_ = count;
    return data_;
  }

 private:
  uint16_t* data_ = nullptr;
  int64_t count_ = -1;
  uint64_t version_ = 0;
};

// Buffers belong to a thread, and so do their copies.
std::unordered_map<uint64_t, Copy>& copies() {
  thread_local std::unordered_map<uint64_t, Copy> instance;
  return instance;
}

void forget(uint64_t id) {
  if (id != 0)
    copies().erase(id);
  else
    copies().clear();
}

bool is_kept(const Tensor& x, bool bf16) {
  if (!bf16 || x.bf16 || !runtime().bf16 || x.buffer == 0) return false;
  static const bool observed = (observe_releases(forget), true);
  return observed;
}

}  // namespace

Operand weight_operand(const Tensor& x, int64_t rows, int64_t cols, bool bf16, Scratch& scratch) {
  if (!is_kept(x, bf16)) return operand(x, rows, cols, bf16, scratch);
  return {copies()[x.buffer].of(x, rows * cols), cols, false, true};
}

}  // namespace lethe::cpu
