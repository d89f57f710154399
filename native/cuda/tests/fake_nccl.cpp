// NCCL's documented behaviour on a CPU, as far as nccl.cpp uses it, between processes of one machine: a file in memory
// that all map, whose name is the id. What the documentation does not allow is refused.
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "core/bf16.h"
#include "cuda/runtime/nccl_api.h"

namespace {

using lethe::cuda::nccl::Id;
using lethe::cuda::nccl::in_progress;
using lethe::cuda::nccl::op_sum;
using lethe::cuda::nccl::success;
using lethe::cuda::nccl::type_bf16;
using lethe::cuda::nccl::type_fp32;

constexpr int system_error = 2, invalid_argument = 4;
constexpr size_t slot_bytes = size_t{1} << 16;
constexpr int most_ranks = 8;

struct Shared {
  std::atomic<int> arrived, generation;
  char slots[most_ranks][slot_bytes];
};

struct Communicator {
  Shared* shared;
  int rank, ranks;

  void meet() const {
    const int generation = shared->generation;
    if (++shared->arrived == ranks) {
      shared->arrived = 0;
      ++shared->generation;
      return;
    }
    while (shared->generation == generation) sched_yield();
  }
};

Communicator& of(void* handle) { return *static_cast<Communicator*>(handle); }

size_t size_of(int type) { return type == type_fp32 ? 4 : 2; }
bool is_known(int type) { return type == type_fp32 || type == type_bf16; }

// What `ranks` slots hold, added up in their order.
void add_slots(const Communicator& all, void* to, size_t count, int type) {
  for (size_t i = 0; i < count; ++i) {
    float sum = 0;
    for (int rank = 0; rank < all.ranks; ++rank) {
      const char* slot = all.shared->slots[rank];
      sum += type == type_fp32 ? reinterpret_cast<const float*>(slot)[i]
                               : lethe::from_bf16(reinterpret_cast<const uint16_t*>(slot)[i]);
    }
    if (type == type_fp32)
      static_cast<float*>(to)[i] = sum;
    else
      static_cast<uint16_t*>(to)[i] = lethe::to_bf16(sum);
  }
}

// Calls `give`(slot, first byte, bytes) and, when all have given, `take`(first byte, bytes), piece by piece.
template <class Give, class Take>
void exchange(const Communicator& all, size_t bytes, const Give& give, const Take& take) {
  for (size_t from = 0; from < bytes; from += slot_bytes) {
    const size_t piece = std::min(slot_bytes, bytes - from);
    give(all.shared->slots[all.rank], from, piece);
    all.meet();
    take(from, piece);
    all.meet();
  }
}

const char* at(const void* data, size_t byte) { return static_cast<const char*>(data) + byte; }
char* at(void* data, size_t byte) { return static_cast<char*>(data) + byte; }

}  // namespace

extern "C" {

int ncclGetUniqueId(Id* id) {
  static int made = 0;
  std::memset(id, 0, sizeof(*id));
  std::snprintf(id->bytes, sizeof(id->bytes), "/lethe-nccl-%d-%d", getpid(), made++);
  return success;
}

int ncclCommInitRank(void** communicator, int ranks, Id id, int rank) {
  if (ranks < 1 || ranks > most_ranks || rank < 0 || rank >= ranks) return invalid_argument;
  const int file = shm_open(id.bytes, O_RDWR | O_CREAT, 0600);
  if (file < 0 || ftruncate(file, sizeof(Shared)) != 0) return system_error;
  void* mapped = mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  if (mapped == MAP_FAILED) return system_error;
  const auto* all = new Communicator{static_cast<Shared*>(mapped), rank, ranks};
  while (std::getenv("FAKE_NCCL_STUCK")) sleep(1);
  all->meet();
  shm_unlink(id.bytes);
  *communicator = const_cast<Communicator*>(all);
  return success;
}

int ncclCommDestroy(void* communicator) {
  munmap(of(communicator).shared, sizeof(Shared));
  delete &of(communicator);
  return success;
}

const char* ncclGetErrorString(int status) { return status == invalid_argument ? "invalid argument" : "system error"; }

int ncclCommGetAsyncError(void*, int* status) {
  *status = success;
  return success;
}

int ncclAllReduce(const void* from, void* to, size_t count, int type, int op, void* communicator, cudaStream_t) {
  if (!is_known(type) || op != op_sum || !from || !to) return invalid_argument;
  const Communicator& all = of(communicator);
  exchange(
      all, count * size_of(type),
      [&](char* slot, size_t first, size_t bytes) { std::memcpy(slot, at(from, first), bytes); },
      [&](size_t first, size_t bytes) { add_slots(all, at(to, first), bytes / size_of(type), type); });
  return success;
}

int ncclBroadcast(const void* from, void* to, size_t count, int type, int root, void* communicator, cudaStream_t) {
  const Communicator& all = of(communicator);
  if (!is_known(type) || root < 0 || root >= all.ranks) return invalid_argument;
  exchange(
      all, count * size_of(type),
      [&](char* slot, size_t first, size_t bytes) { std::memcpy(slot, at(from, first), bytes); },
      [&](size_t first, size_t bytes) { std::memcpy(at(to, first), all.shared->slots[root], bytes); });
  return success;
}

// `count` is that of a part, here and below; in place, a part is where it is in the whole.
int ncclReduceScatter(const void* from, void* to, size_t count, int type, int op, void* communicator, cudaStream_t) {
  const Communicator& all = of(communicator);
  const size_t part = count * size_of(type);
  if (!is_known(type) || op != op_sum || to != at(from, part * static_cast<size_t>(all.rank))) return invalid_argument;
  for (int owner = 0; owner < all.ranks; ++owner)
    exchange(
        all, part,
        [&](char* slot, size_t first, size_t bytes) {
          std::memcpy(slot, at(from, part * static_cast<size_t>(owner) + first), bytes);
        },
        [&](size_t first, size_t bytes) {
          if (owner == all.rank) add_slots(all, at(to, first), bytes / size_of(type), type);
        });
  return success;
}

int ncclAllGather(const void* from, void* to, size_t count, int type, void* communicator, cudaStream_t) {
  const Communicator& all = of(communicator);
  const size_t part = count * size_of(type);
  if (!is_known(type) || from != at(to, part * static_cast<size_t>(all.rank))) return invalid_argument;
  exchange(
      all, part, [&](char* slot, size_t first, size_t bytes) { std::memcpy(slot, at(from, first), bytes); },
      [&](size_t first, size_t bytes) {
        for (int rank = 0; rank < all.ranks; ++rank)
          std::memcpy(at(to, part * static_cast<size_t>(rank) + first), all.shared->slots[rank], bytes);
      });
  return success;
}

}  // extern "C"
