// What carries data between the processes of a job: one folder per transport beside this file. A transport is driven by
// one thread, that of the queue, from its opening to its end.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace lethe::collectives {

enum class Kind { all_reduce, reduce_scatter, all_gather, broadcast, barrier };
enum class Type { f32, bf16, f64, bytes };

// Calls of a lane are carried out one after another, those of different lanes beside each other: large tensors travel
// while a step goes on, and the few values that it waits for do not wait for all of them. Pieces of tensors take the
// lanes for tensors in turn, so that the network has the next while one waits for its last bytes and for the answer.
enum class Lane { values, tensors };  // and further ones for tensors
constexpr int num_lanes = 4;

constexpr int64_t size_of(Type type) {
  return type == Type::f32 ? 4 : type == Type::bf16 ? 2 : type == Type::f64 ? 8 : 1;
}

// One call, in place. Sums are of f32, f64, or bf16 (added in f32, rounded at every addition).
// all_reduce, broadcast: `data` holds `count` elements. reduce_scatter, all_gather: each rank's part is `count`
// elements, `stride` after those of the rank before; this rank receives its part, or gives it.
struct Call {
  Kind kind = Kind::barrier;
  Type type = Type::f32;
  void* data = nullptr;
  int64_t count = 0;
  int root = 0;
  bool on_gpu = false;  // `data` is memory of the CUDA device
  Lane lane = Lane::values;
  int64_t stride = 0;  // the queue's: `count` of the whole call
};

// Where a process runs: what messages name, and what tells whether it lives.
struct Place {
  char host[128] = {};
  char process_space[64] = {};  // of its process numbers: host and container
  int64_t pid = 0;
};

// A sign of life: what a rank does.
struct Beat {
  int64_t calls = 0;  // collectives that it has begun
  char where[96] = {};
};

class Transport {
 public:
  virtual ~Transport() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string library() const = 0;
  virtual const std::vector<Place>& places() const = 0;  // by rank

  // Elements of a call that one start may have: a longer call is several.
  virtual int64_t most(const Call& call) const = 0;
  // One call of each lane at a time: `start` begins it, `finished` drives it and must be asked until it says yes.
  virtual void start(const Call& call) = 0;
  virtual bool finished(Lane lane) = 0;
  virtual const char* waits_for() const { return "other ranks"; }  // for messages about calls that do not end

  // Signs of life go from every rank to rank 0, and from rank 0 to all; a beat that its receiver has not taken is not
  // sent again. `heard` gives one that has come.
  virtual void beat(const Beat& mine) = 0;
  virtual bool heard(int& from, Beat& beat) = 0;

  virtual void abort() noexcept = 0;  // ends every process of the job
  virtual void close() = 0;           // all ranks together, when no call is left
};

// Each throws Error{not_available} that says what is missing and what to do.
std::unique_ptr<Transport> open_none();
std::unique_ptr<Transport> open_mpi();
std::unique_ptr<Transport> open_nccl();  // MPI, with NCCL for memory of GPUs from the first call on such memory on

}  // namespace lethe::collectives
