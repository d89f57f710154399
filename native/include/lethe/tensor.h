// A view of a device buffer: what operators receive. Nothing here owns memory.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lethe {

enum class DType : uint8_t { f32, i32 };

constexpr size_t size_of(DType) { return 4; }

struct Tensor {
  void* data = nullptr;  // nullptr: an absent optional argument
  size_t bytes = 0;
  uint64_t buffer = 0;   // the store's id, never reused; 0 for memory outside the store
  uint64_t version = 0;  // grows at every write to the buffer, so a device may cache what it derived (packed weights)

  explicit operator bool() const { return data != nullptr; }
  float* f32() const { return static_cast<float*>(data); }
  int32_t* i32() const { return static_cast<int32_t*>(data); }
};

}  // namespace lethe
