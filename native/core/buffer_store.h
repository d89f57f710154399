// The buffers of one addon instance: integer ids for device memory. Ids are unique in the process and never reused, so
// a stale id is an error, not somebody else's buffer.
#pragma once
#include <array>
#include <memory>
#include <unordered_map>

#include "core/caching_pool.h"
#include "lethe/tensor.h"

namespace lethe {

enum class DeviceId : int { reference = 0, cpu = 1, cuda = 2 };
inline constexpr int num_devices = 3;

// Throws Error{not_available} where the machine or the build has no such device.
Device& device_at(int index);

// Told of every buffer that goes, on the thread that releases it; of id 0 when a cache is to be emptied. For what
// devices derive from buffers. Observers are added while a device starts and stay.
using ReleaseObserver = void (*)(uint64_t id);
void observe_releases(ReleaseObserver observer);

class BufferStore {
 public:
  ~BufferStore();
  uint64_t allocate(int device, size_t bytes, bool bf16 = false);
  void release(uint64_t id);
  void write(uint64_t id, size_t offset, const void* host, size_t bytes);
  void read(uint64_t id, size_t offset, void* host, size_t bytes);
  // The buffer as an operator of `device` sees it; `op` and `name` are for the error. Counts a write when `writes`.
  Tensor tensor(uint64_t id, Device& device, bool writes, const char* op, const char* name);
  CachingPool& pool(int device);
  void empty_cache(int device);

 private:
  struct Buffer {
    void* data;
    size_t bytes;
    uint64_t version;
    CachingPool* pool;
    bool bf16;
  };
  Buffer& find(uint64_t id, const char* op, const char* name);
  void check_range(const Buffer& buffer, const char* op, size_t offset, size_t bytes) const;

  std::array<std::unique_ptr<CachingPool>, num_devices> pools_;
  std::unordered_map<uint64_t, Buffer> buffers_;
};

}  // namespace lethe
