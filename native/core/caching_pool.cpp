#include "core/caching_pool.h"

#include <algorithm>
#include <bit>

#include "lethe/error.h"

namespace lethe {

size_t size_class(size_t bytes) {
  if (bytes <= 512) return std::max<size_t>(64, (bytes + 63) / 64 * 64);
  if (bytes > SIZE_MAX / 2) return bytes;  // the device refuses it
  const size_t step = std::bit_floor(bytes) / 8;
  return (bytes + step - 1) / step * step;
}

void* CachingPool::allocate(size_t bytes) {
  const size_t block = size_class(bytes);
  void* data = nullptr;
  if (auto& blocks = free_[block]; !blocks.empty()) {
    data = blocks.back();
    blocks.pop_back();
    stats_.cached -= block;
  } else {
    try {
      data = memory_.allocate(block);
    } catch (const Error& error) {
      if (error.code != Code::out_of_memory || stats_.cached == 0) throw;
      empty_cache();
      data = memory_.allocate(block);
    }
    ++stats_.allocations;
  }
  ++stats_.buffers;
  stats_.live += bytes;
  stats_.peak = std::max(stats_.peak, stats_.live);
  return data;
}

void CachingPool::release(void* data, size_t bytes) {
  const size_t block = size_class(bytes);
  free_[block].push_back(data);
  stats_.cached += block;
  stats_.live -= bytes;
  --stats_.buffers;
}

void CachingPool::empty_cache() {
  for (auto& [block, blocks] : free_)
    for (void* data : blocks) memory_.release(data);
  free_.clear();
  stats_.cached = 0;
}

}  // namespace lethe
