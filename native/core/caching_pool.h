// Keeps freed blocks by size class, because a training step asks for the same sizes again and again, and fresh memory
// costs a page fault for every 4 KiB.
#pragma once
#include <map>
#include <vector>

#include "lethe/device.h"

namespace lethe {

class CachingPool {
 public:
  explicit CachingPool(Memory& memory) : memory_(memory) {}
  ~CachingPool() { empty_cache(); }
  CachingPool(const CachingPool&) = delete;
  CachingPool& operator=(const CachingPool&) = delete;

  struct Stats {
    size_t live = 0;         // bytes asked for and not freed
    size_t peak = 0;         // the most that live has been since reset_peak
    size_t cached = 0;       // bytes of freed blocks kept for reuse
    size_t allocations = 0;  // blocks taken from the device so far: constant in the steady state
    size_t buffers = 0;
  };

  void* allocate(size_t bytes);
  void release(void* data, size_t bytes);
  void empty_cache();
  void reset_peak() { stats_.peak = stats_.live; }
  const Stats& stats() const { return stats_; }
  Memory& memory() { return memory_; }

 private:
  Memory& memory_;
  std::map<size_t, std::vector<void*>> free_;
  Stats stats_;
};

// The block that a request gets: eight classes per power of two, so at most 1/8 is wasted.
size_t size_class(size_t bytes);

}  // namespace lethe
