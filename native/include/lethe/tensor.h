// A view of a device buffer: what operators receive. Nothing here owns memory.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lethe {

// How the table types a tensor; see ops.h.
enum class DType : uint8_t { f32, i32, act, wgt };

struct Tensor {
  void* data = nullptr;  // nullptr: an absent optional argument
  size_t bytes = 0;
  uint64_t buffer = 0;   // the store's id, never reused; 0 for memory outside the store
  uint64_t version = 0;  // grows at every write to the buffer, so a device may cache what it derived (packed weights)
  bool bf16 = false;     // elements are bf16 (2 bytes), otherwise f32 or i32 (4)

  explicit operator bool() const { return data != nullptr; }
  float* f32() const { return static_cast<float*>(data); }
  int32_t* i32() const { return static_cast<int32_t*>(data); }
  uint16_t* halves() const { return static_cast<uint16_t*>(data); }  // bf16 bits
};

}  // namespace lethe
