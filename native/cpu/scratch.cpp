#include "cpu/scratch.h"

#include <algorithm>
#include <vector>

#include "core/host_memory.h"

namespace lethe::cpu {
namespace {

struct Block {
  char* data;
  size_t size;
};

struct Stack {
  std::vector<Block> blocks;
  size_t block = 0, used = 0;  // the block in use, and the bytes used in it

  Stack() { host_memory(); }  // outlives this thread's stack
  ~Stack() { clear(); }
  void clear() {
    for (const Block& b : blocks) host_memory().release(b.data);
    blocks.clear();
  }
  void* take(size_t count) {
    count = (count + 63) / 64 * 64;
    while (block < blocks.size() && blocks[block].size - used < count) ++block, used = 0;
    if (block == blocks.size()) {
      const size_t size = std::max(count, size_t{1} << 20);
      blocks.push_back({static_cast<char*>(host_memory().allocate(size)), size});
    }
    void* result = blocks[block].data + used;
    used += count;
    return result;
  }
  // Several blocks become one of their total size, so that the same work next time finds a single one.
  void merge() {
    if (blocks.size() < 2) return;
    size_t total = 0;
    for (const Block& b : blocks) total += b.size;
    clear();
    blocks.push_back({static_cast<char*>(host_memory().allocate(total)), total});
  }
};

thread_local Stack stack;

}  // namespace

Scratch::Scratch() : block_(stack.block), used_(stack.used) {}

Scratch::~Scratch() {
  stack.block = block_;
  stack.used = used_;
  if (block_ != 0 || used_ != 0) return;
  try {
    stack.merge();
  } catch (...) {
    stack.clear();  // not enough memory for one block: start again next time
  }
}

void* Scratch::bytes(size_t count) { return stack.take(count); }
float* Scratch::floats(int64_t count) { return static_cast<float*>(bytes(static_cast<size_t>(count) * 4)); }
uint16_t* Scratch::halves(int64_t count) { return static_cast<uint16_t*>(bytes(static_cast<size_t>(count) * 2)); }
double* Scratch::doubles(int64_t count) { return static_cast<double*>(bytes(static_cast<size_t>(count) * 8)); }
int32_t* Scratch::ints(int64_t count) { return static_cast<int32_t*>(bytes(static_cast<size_t>(count) * 4)); }

}  // namespace lethe::cpu
