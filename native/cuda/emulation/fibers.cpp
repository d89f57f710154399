#include "fibers.h"

#include <algorithm>
#include <deque>
#include <exception>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#ifdef __x86_64__
// Puts the registers that a call keeps on the stack, and goes on where another stack left off. (swapcontext asks the
// system to change the signal mask, twice a switch: a hundred times slower.)
extern "C" void lethe_switch_stack(void** from, void* to);
asm(R"(
.text
.globl lethe_switch_stack
.hidden lethe_switch_stack
lethe_switch_stack:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
)");
#else
#include <ucontext.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace lethe::cuda::emulation {
namespace {

constexpr size_t stack_bytes = size_t{96} << 10;

#ifdef __x86_64__
class Stack {
 public:
  // `entry` starts at the first switch to this stack, and never returns.
  void prepare(char* memory, void (*entry)()) {
    auto* top = reinterpret_cast<void**>(memory + stack_bytes);
    *--top = nullptr;  // where `entry` would return to; keeps its stack aligned as a call does
    *--top = reinterpret_cast<void*>(entry);
    at_ = top - 6;
    std::fill_n(top - 6, 6, nullptr);
  }
  void go_to(Stack& other) { lethe_switch_stack(&at_, other.at_); }

 private:
  void* at_ = nullptr;
};
#else
class Stack {
 public:
  void prepare(char* memory, void (*entry)()) {
    getcontext(&context_);
    context_.uc_stack.ss_sp = memory;
    context_.uc_stack.ss_size = stack_bytes;
    context_.uc_link = nullptr;
    makecontext(&context_, entry, 0);
  }
  void go_to(Stack& other) { swapcontext(&context_, &other.context_); }

 private:
  ucontext_t context_;
};
#endif

struct Barrier {
  unsigned expected = 0, arrived = 0, generation = 0;
};

struct Warp {
  Barrier barrier;
  Slot slots[2][32];  // two, so that a fast lane does not overwrite what a slow one reads
};

struct Block {
  dim3 index;
  Barrier barrier;
  std::vector<Warp> warps;
  std::vector<unsigned char> memory;
  unsigned char* shared = nullptr;
};

struct Fiber {
  Stack place;
  std::unique_ptr<char[]> stack{new char[stack_bytes]};
  dim3 index;
  unsigned linear = 0, exchanges = 0;
  Block* block = nullptr;
  bool done = false;
  std::vector<std::function<void()>> open;                   // copies of the group that is not committed
  std::deque<std::vector<std::function<void()>>> committed;  // groups not waited for
};

struct Cluster {
  std::vector<Block> blocks;
  Barrier barrier;
};

std::vector<std::unique_ptr<Fiber>> fibers;  // kept from grid to grid: stacks are expensive
Stack scheduler;
std::exception_ptr failure;
Fiber* current = nullptr;
Cluster* cluster_of_current = nullptr;
const std::function<void()>* body_of_current = nullptr;
size_t progress = 0;
bool reversed_order = false;

void yield() { current->place.go_to(scheduler); }

void wait(Barrier& barrier) {
  ++progress;
  const unsigned generation = barrier.generation;
  if (++barrier.arrived == barrier.expected) {
    barrier.arrived = 0;
    ++barrier.generation;
    return;
  }
  while (barrier.generation == generation) yield();
}

void main_of_fiber() {
  try {
    (*body_of_current)();
  } catch (...) {
    failure = std::current_exception();
  }
  current->done = true;
  ++progress;
  yield();
}

void start(Fiber& fiber) {
  fiber.done = false;
  fiber.exchanges = 0;
  fiber.open.clear();
  fiber.committed.clear();
  fiber.place.prepare(fiber.stack.get(), main_of_fiber);
}

void run_cluster(Cluster& cluster, unsigned threads) {
  const size_t count = cluster.blocks.size() * threads;
  while (fibers.size() < count) fibers.push_back(std::make_unique<Fiber>());
  for (size_t i = 0; i < count; ++i) {
    Fiber& fiber = *fibers[i];
    fiber.block = &cluster.blocks[i / threads];
    fiber.linear = static_cast<unsigned>(i % threads);
    fiber.index =
        dim3(fiber.linear % blockDim.x, fiber.linear / blockDim.x % blockDim.y, fiber.linear / blockDim.x / blockDim.y);
    start(fiber);
  }
  cluster_of_current = &cluster;
  for (size_t alive = count; alive > 0;) {
    const size_t before = progress;
    alive = 0;
    for (size_t k = 0; k < count; ++k) {
      Fiber& fiber = *fibers[reversed_order ? count - 1 - k : k];
      if (fiber.done) continue;
      current = &fiber;
      threadIdx = fiber.index;
      blockIdx = fiber.block->index;
      scheduler.go_to(fiber.place);
      if (failure) std::rethrow_exception(std::exchange(failure, nullptr));
      if (!fiber.done) ++alive;
    }
    if (alive > 0 && progress == before) throw std::logic_error("threads of a block wait at different barriers");
  }
}

}  // namespace

void reverse_threads(bool reversed) { reversed_order = reversed; }

void run_grid(dim3 grid, dim3 block, size_t shared, unsigned cluster_size, const std::function<void()>& body) {
  if (grid.x % cluster_size != 0) throw std::logic_error("the grid is not a multiple of the cluster");
  const unsigned threads = block.x * block.y * block.z;
  if (threads > 1024) throw std::logic_error("more than 1024 threads in a block");
  if (grid.x > INT32_MAX || grid.y > 65535 || grid.z > 65535) throw std::logic_error("a grid beyond CUDA's limits");
  if (cluster_size > 16 || (cluster_size & (cluster_size - 1))) throw std::logic_error("no such cluster");
  if (shared > (size_t{227} << 10)) throw std::logic_error("more than 227 KiB of shared memory");
  gridDim = grid;
  blockDim = block;
  body_of_current = &body;
  for (unsigned z = 0; z < grid.z; ++z)
    for (unsigned y = 0; y < grid.y; ++y)
      for (unsigned x = 0; x < grid.x; x += cluster_size) {
        Cluster cluster;
        cluster.blocks.resize(cluster_size);
        cluster.barrier.expected = cluster_size * threads;
        for (unsigned r = 0; r < cluster_size; ++r) {
          Block& b = cluster.blocks[r];
          b.index = dim3(x + r, y, z);
          b.barrier.expected = threads;
          b.warps.resize((threads + 31) / 32);
          for (unsigned w = 0; w < b.warps.size(); ++w) b.warps[w].barrier.expected = std::min(32U, threads - w * 32);
          b.memory.assign(shared + 128, 0xff);  // NaN, to whoever reads before writing
          b.shared = b.memory.data() + (128 - reinterpret_cast<uintptr_t>(b.memory.data()) % 128) % 128;
        }
        run_cluster(cluster, threads);
      }
}

void sync_block() { wait(current->block->barrier); }
void sync_cluster() { wait(cluster_of_current->barrier); }
unsigned char* shared_memory() { return current->block->shared; }
unsigned char* shared_memory_of(unsigned rank) { return cluster_of_current->blocks.at(rank).shared; }
unsigned lane() { return current->linear % 32; }

const Slot* exchange(const Slot& mine) {
  Warp& warp = current->block->warps[current->linear / 32];
  Slot* slots = warp.slots[current->exchanges++ % 2];
  slots[lane()] = mine;
  wait(warp.barrier);
  return slots;
}

void later(const std::function<void()>& copy) { current->open.push_back(copy); }
void commit_later() {
  current->committed.push_back(std::move(current->open));
  current->open.clear();
}
void wait_later(int pending) {
  while (current->committed.size() > static_cast<size_t>(pending)) {
    for (const auto& copy : current->committed.front()) copy();
    current->committed.pop_front();
  }
}

}  // namespace lethe::cuda::emulation
