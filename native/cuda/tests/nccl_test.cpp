// Ranks on GPUs over NCCL's interface, which fake_nccl.cpp has: the transport of collectives/nccl with ranks that are
// processes, each with a device of its own. What MPI does for it is done by memory that they share.
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

#include "collectives/place.h"
#include "collectives/queue.h"
#include "collectives/transport.h"
#include "core/bf16.h"
#include "cuda_loader/collectives.h"
#include "lethe/error.h"

namespace lethe::tests {
namespace {

using namespace collectives;

constexpr int ranks = 2;
constexpr int64_t part = 40'000;  // more than a slot of the stand-in holds

struct Shared {
  std::atomic<int> arrived, generation;
  double sums[ranks];
  char bytes[256];
};

// Set before the processes part, and in each of them.
Shared* shared = nullptr;
int my_rank = 0;

class OnHost final : public Transport {
 public:
  int rank() const override { return my_rank; }
  int size() const override { return ranks; }
  std::string library() const override { return "shared memory"; }
  const std::vector<Place>& places() const override { return places_; }
  int64_t most(const Call& call) const override { return call.count; }
  void start(const Call& call) override {
    if (call.kind == Kind::all_reduce) {
      auto& x = *static_cast<double*>(call.data);
      shared->sums[my_rank] = x;
      meet();
      x = shared->sums[0] + shared->sums[1];
    } else {
      if (my_rank == call.root) std::memcpy(shared->bytes, call.data, static_cast<size_t>(call.count));
      meet();
      std::memcpy(call.data, shared->bytes, static_cast<size_t>(call.count));
    }
    meet();
  }
  bool finished(Lane) override { return true; }
  void beat(const Beat&) override {}
  bool heard(int&, Beat&) override { return false; }
  void abort() noexcept override {}
  void close() override {}

 private:
  static void meet() {
    const int generation = shared->generation;
    if (++shared->arrived == ranks) {
      shared->arrived = 0;
      ++shared->generation;
    }
    while (shared->generation == generation) sched_yield();
  }
  std::vector<Place> places_{this_place(), this_place()};
};

float value(int rank, int64_t i) { return static_cast<float>((rank + 1) * (i % 31 - 15)); }

// What a rank does, with a buffer of the device.
class Rank {
 public:
  Rank() : f_(cuda_collectives()), transport_(open_nccl()) { lethe_cuda_alloc(f_.device, ranks * part * 4, &data_); }

  void every_kind(Type type) {
    const auto sum = [](int64_t i) { return value(0, i) + value(1, i); };
    call(Kind::all_reduce, type, ranks * part, sum);
    call(Kind::reduce_scatter, type, part, [&](int64_t i) { return i / part == my_rank ? sum(i) : value(my_rank, i); });
    call(Kind::all_gather, type, part, [](int64_t i) { return value(static_cast<int>(i / part), i); });
    call(Kind::broadcast, type, ranks * part, [](int64_t i) { return value(1, i); });
  }

  Transport& transport() { return *transport_; }

 private:
  void call(Kind kind, Type type, int64_t count, const std::function<float(int64_t)>& expected) {
    const bool bf16 = type == Type::bf16;
    std::vector<float> wide;
    std::vector<uint16_t> narrow;
    for (int64_t i = 0; i < ranks * part; ++i) {
      wide.push_back(value(my_rank, i));
      narrow.push_back(to_bf16(wide.back()));
    }
    void* host = bf16 ? static_cast<void*>(narrow.data()) : wide.data();
    const size_t bytes = wide.size() * static_cast<size_t>(size_of(type));
    lethe_cuda_write(f_.device, data_, host, bytes);
    transport_->start({kind, type, data_, count, 1, true, Lane::tensors});
    if (transport_->finished(Lane::tensors))
      throw std::runtime_error("done before it was asked twice: the emulation says no once");
    while (!transport_->finished(Lane::tensors)) sched_yield();
    lethe_cuda_read(f_.device, host, data_, bytes);
    for (int64_t i = 0; i < ranks * part; ++i) {
      const float found = bf16 ? from_bf16(narrow[static_cast<size_t>(i)]) : wide[static_cast<size_t>(i)];
      if (found != expected(i))
        throw std::runtime_error("kind " + std::to_string(static_cast<int>(kind)) + ", element " + std::to_string(i));
    }
  }

  CudaCollectives f_;
  std::unique_ptr<Transport> transport_;
  void* data_ = nullptr;
};

// Runs `work` in a process for each rank. Returns what went wrong, empty where nothing did.
std::string on_ranks(const std::function<void()>& work) {
  shared =
      static_cast<Shared*>(mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  std::vector<int> pipes;
  for (int rank = 0; rank < ranks; ++rank) {
    int ends[2];
    if (pipe(ends) != 0) return "no pipe";
    if (fork() == 0) {
      my_rank = rank;
      dup2(ends[1], STDERR_FILENO);
      std::string text;
      try {
        work();
      } catch (const std::exception& error) {
        text = "rank " + std::to_string(rank) + ": " + error.what() + "\n";
      }
      (void)!write(ends[1], text.data(), text.size());
      _exit(0);
    }
    close(ends[1]);
    pipes.push_back(ends[0]);
  }
  std::string all;
  for (const int from : pipes) {
    char text[1000];
    for (ssize_t n = 0; (n = read(from, text, sizeof(text))) > 0;) all.append(text, static_cast<size_t>(n));
    close(from);
  }
  for (int status = 0; wait(&status) > 0;)
    if (status != 0) all += "a rank ended with " + std::to_string(status) + "\n";
  return all;
}

TEST(Nccl, EveryKindAndTypeBetweenProcesses) {
  EXPECT_EQ(on_ranks([] {
              setenv("LETHE_NCCL", LETHE_FAKE_NCCL, 1);
              Rank rank;
              rank.every_kind(Type::f32);
              rank.every_kind(Type::bf16);
            }),
            "");
}

TEST(Nccl, WhatItDoesNotCarryIsRefused) {
  EXPECT_EQ(on_ranks([] {
              setenv("LETHE_NCCL", LETHE_FAKE_NCCL, 1);
              Rank rank;
              rank.transport().start({Kind::all_reduce, Type::f64, nullptr, 1, 0, true});
            }),
            "rank 0: [nccl] expected a call on fp32 or bf16 of the GPU\n"
            "rank 1: [nccl] expected a call on fp32 or bf16 of the GPU\n");
}

TEST(Nccl, ARankWithoutItFailsOnAll) {
  const std::string said = on_ranks([] {
    setenv("LETHE_NCCL", my_rank == 1 ? "/nowhere/libnccl.so" : LETHE_FAKE_NCCL, 1);
    Rank rank;
    rank.transport().start({Kind::all_reduce, Type::f32, nullptr, 0, 0, true});
    while (!rank.transport().finished(Lane::values)) sched_yield();
  });
  EXPECT_NE(said.find("rank 0: [nccl] another rank has no NCCL\n"), std::string::npos) << said;
  EXPECT_NE(said.find("rank 1: [nccl] [cuda] NCCL was not found"), std::string::npos) << said;
}

TEST(Nccl, OneThatNeverOpensEndsTheJobAtTheDeadline) {
  const std::string said = on_ranks([] {
    setenv("LETHE_NCCL", LETHE_FAKE_NCCL, 1);
    setenv("FAKE_NCCL_STUCK", "1", 1);
    Limits limits;
    limits.deadline = 1;
    Queue queue(open_nccl, limits);
    queue.submit({Kind::all_reduce, Type::f32, nullptr, 0, 0, true, Lane::tensors}, [](const std::string&) {});
    queue.close();
  });
  EXPECT_NE(said.find("rank 0, the start: all_reduce has waited 1 s for NCCL to open"), std::string::npos) << said;
}

}  // namespace
}  // namespace lethe::tests

namespace lethe {

// Those of this program, and not of a library that is opened.
CudaCollectives cuda_collectives() {
  CudaCollectives f{nullptr,
                    lethe_cuda_error,
                    lethe_cuda_collective_id,
                    lethe_cuda_collective_open,
                    lethe_cuda_all_reduce,
                    lethe_cuda_broadcast,
                    lethe_cuda_reduce_scatter,
                    lethe_cuda_all_gather,
                    lethe_cuda_collective_done};
  check_cuda(lethe_cuda_open(0, &f.device), lethe_cuda_error());
  return f;
}

namespace collectives {
std::unique_ptr<Transport> open_mpi() { return std::make_unique<tests::OnHost>(); }
}  // namespace collectives

}  // namespace lethe
