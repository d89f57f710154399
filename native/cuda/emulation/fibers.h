// Threads of CUDA blocks as fibers of one CPU thread, so that kernels run, and are tested, where there is no GPU.
// Blocks run one after the other, blocks of a cluster together. A fiber runs until it meets a barrier, so an order of
// threads that a kernel relies on by mistake shows when the order is reversed.
#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned a = 1, unsigned b = 1, unsigned c = 1) : x(a), y(b), z(c) {}
};

// CUDA's names for the place of a thread.
extern dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace lethe::cuda::emulation {

// Runs `body` once for each thread of the grid. Throws std::logic_error when threads wait for each other for ever.
void run_grid(dim3 grid, dim3 block, size_t shared, unsigned cluster, const std::function<void()>& body);
void reverse_threads(bool reversed);

// What the running thread may ask for.
void sync_block();
void sync_cluster();
unsigned char* shared_memory();                  // of the thread's block
unsigned char* shared_memory_of(unsigned rank);  // of a block of its cluster
unsigned lane();
// Puts 64 bytes where the other lanes of the warp can read them; all 32 lanes (or all of a smaller block) take part.
// The result is valid until the next exchange.
struct Slot {
  uint64_t words[8];
};
const Slot* exchange(const Slot& mine);
void later(const std::function<void()>& copy);  // cp.async: not before `wait_later`
void commit_later();
void wait_later(int pending);

}  // namespace lethe::cuda::emulation
