#include "cpu/kept_panels.h"

#include <unordered_map>
#include <utility>

#include "core/buffer_store.h"
#include "core/host_memory.h"
#include "cpu/runtime.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {
namespace {

// The panels of some version of a buffer; their memory is reused by the next version.
class Panels {
 public:
  Panels() { host_memory(); }  // outlives this thread's panels
  Panels(const Panels&) = delete;
  Panels& operator=(const Panels&) = delete;
  ~Panels() { host_memory().release(data_); }

  const void* of(const Tensor& weight, const PanelShape& shape, bool bf16) {
    const size_t bytes = shape.bytes(bf16);
    if (version_ == weight.version && bytes_ == bytes && bf16_ == bf16) return data_;
    if (bytes_ != bytes) {
      host_memory().release(std::exchange(data_, nullptr));
      bytes_ = 0;
      data_ = host_memory().allocate(bytes);
    }
    kernels().pack_panels(weight, shape, bf16, static_cast<float*>(data_));
    version_ = weight.version;
    bytes_ = bytes;
    bf16_ = bf16;
    return data_;
  }

 private:
  void* data_ = nullptr;
  size_t bytes_ = 0;
  uint64_t version_ = 0;
  bool bf16_ = false;
};

struct Kept {
  Panels plain, transposed;
};

// Buffers belong to a thread, and so do their panels.
std::unordered_map<uint64_t, Kept>& kept() {
  thread_local std::unordered_map<uint64_t, Kept> instance;
  return instance;
}

void forget(uint64_t id) {
  if (id != 0)
    kept().erase(id);
  else
    kept().clear();
}

bool in_panels(const Tensor& weight, const WeightUse& use) {
  if (!runtime().panels || weight.buffer == 0 || use.O * use.I == 0) return false;
  const bool few = use.transposed && use.rows <= few_rows;
  return use.bf16 ? runtime().bf16 && (few || !weight.bf16) : few;
}

}  // namespace

Operand weight_operand(const Tensor& weight, const WeightUse& use, Scratch& scratch) {
  if (!in_panels(weight, use)) {
    const Operand plain = operand(weight, use.O, use.I, use.bf16, scratch);
    return use.transposed ? plain.t() : plain;
  }
  static const bool observed = (observe_releases(forget), true);
  static_cast<void>(observed);
  Kept& mine = kept()[weight.buffer];
  const PanelShape shape{use.transposed ? use.I : use.O, use.transposed ? use.O : use.I, use.transposed};
  const void* data = (use.transposed ? mine.transposed : mine.plain).of(weight, shape, use.bf16);
  return {data, 0, false, use.bf16, true};
}

}  // namespace lethe::cpu
