#include "core/caching_pool.h"

#include <algorithm>
#include <vector>

#include "lethe/error.h"

namespace lethe {
namespace {

constexpr size_t line = 64;
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1  // clang's way to say so
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
constexpr size_t segment_bytes = 0;  // every buffer by itself, so that an access beyond it is found
#else
constexpr size_t segment_bytes = size_t{64} << 20;
#endif

size_t rounded(size_t bytes) {
  if (bytes > SIZE_MAX / 2) return bytes;  // the device refuses it
  return std::max(line, (bytes + line - 1) / line * line);
}

}  // namespace

CachingPool::~CachingPool() {
  for (const auto& [data, block] : blocks_)
    if (!block->before) memory_.release(data);
}

void* CachingPool::allocate(size_t bytes) {
  const size_t size = rounded(bytes);
  Block* block = take(size);
  split(block, size);
  block->free = false;
  stats_.cached -= block->bytes;
  ++stats_.buffers;
  stats_.live += bytes;
  stats_.peak = std::max(stats_.peak, stats_.live);
  return block->data;
}

// The smallest free block of at least `bytes`, no longer among the free ones.
CachingPool::Block* CachingPool::take(size_t bytes) {
  Block wanted{nullptr, bytes, nullptr, nullptr};
  const auto found = free_.lower_bound(&wanted);
  if (found == free_.end()) return add_segment(bytes);
  Block* block = *found;
  free_.erase(found);
  return block;
}

CachingPool::Block* CachingPool::add_segment(size_t bytes) {
  const size_t size = std::max(bytes, segment_bytes);
  void* data = nullptr;
  try {
    data = memory_.allocate(size);
  } catch (const Error& error) {
    if (error.code != Code::out_of_memory || stats_.cached == 0) throw;
    empty_cache();
    data = memory_.allocate(size);
  }
  ++stats_.allocations;
  stats_.cached += size;
  auto block = std::make_unique<Block>(Block{static_cast<char*>(data), size, nullptr, nullptr});
  return (blocks_[data] = std::move(block)).get();
}

// What `block` has beyond `bytes` becomes a free block.
void CachingPool::split(Block* block, size_t bytes) {
  if (block->bytes == bytes) return;
  auto rest = std::make_unique<Block>(Block{block->data + bytes, block->bytes - bytes, block, block->after});
  if (rest->after) rest->after->before = rest.get();
  block->after = rest.get();
  block->bytes = bytes;
  free_.insert(rest.get());
  blocks_[rest->data] = std::move(rest);
}

void CachingPool::release(void* data, size_t bytes) {
  Block* block = blocks_.at(data).get();
  stats_.cached += block->bytes;
  stats_.live -= bytes;
  --stats_.buffers;
  block->free = true;
  if (block->after && block->after->free) absorb_after(block);
  if (block->before && block->before->free) {
    block = block->before;
    free_.erase(block);
    absorb_after(block);
  }
  free_.insert(block);
}

// The block after `block` becomes part of it. `block` itself is not among the free ones.
void CachingPool::absorb_after(Block* block) {
  Block* after = block->after;
  free_.erase(after);
  block->bytes += after->bytes;
  block->after = after->after;
  if (block->after) block->after->before = block;
  blocks_.erase(after->data);
}

void CachingPool::empty_cache() {
  std::vector<Block*> whole;
  for (Block* block : free_)
    if (!block->before && !block->after) whole.push_back(block);
  for (Block* block : whole) {
    stats_.cached -= block->bytes;
    free_.erase(block);
    memory_.release(block->data);
    blocks_.erase(block->data);
  }
}

}  // namespace lethe
