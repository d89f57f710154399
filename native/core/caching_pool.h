// Hands out parts of large segments and keeps what is freed, because a training step asks for the same sizes again and
// again, and fresh memory costs a page fault for every 4 KiB. A request takes the smallest free block that holds it;
// what is left over stays free, and neighbours that are free become one block.
#pragma once
#include <memory>
#include <set>
#include <unordered_map>

#include "lethe/device.h"

namespace lethe {

class CachingPool {
 public:
  explicit CachingPool(Memory& memory) : memory_(memory) {}
  ~CachingPool();
  CachingPool(const CachingPool&) = delete;
  CachingPool& operator=(const CachingPool&) = delete;

  struct Stats {
    size_t live = 0;         // bytes asked for and not freed
    size_t peak = 0;         // the most that live has been since reset_peak
    size_t cached = 0;       // bytes of free blocks kept for reuse
    size_t allocations = 0;  // segments taken from the device so far: constant in the steady state
    size_t buffers = 0;
  };

  void* allocate(size_t bytes);
  void release(void* data, size_t bytes);
  // Gives segments in which nothing is left back to the device.
  void empty_cache();
  void reset_peak() { stats_.peak = stats_.live; }
  const Stats& stats() const { return stats_; }
  Memory& memory() { return memory_; }

 private:
  struct Block {
    char* data;
    size_t bytes;
    Block *before, *after;  // neighbours in the segment
    bool free = true;
  };
  struct Smaller {
    bool operator()(const Block* a, const Block* b) const {
      return a->bytes != b->bytes ? a->bytes < b->bytes : a->data < b->data;
    }
  };

  Block* take(size_t bytes);
  Block* add_segment(size_t bytes);
  void split(Block* block, size_t bytes);
  void absorb_after(Block* block);

  Memory& memory_;
  std::set<Block*, Smaller> free_;
  std::unordered_map<void*, std::unique_ptr<Block>> blocks_;  // by address, free ones too
  Stats stats_;
};

}  // namespace lethe
