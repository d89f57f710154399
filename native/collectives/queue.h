// Collectives in the order in which they are given, lane by lane, on a thread of their own, each with a deadline. A
// rank that has ended, gives no sign of life or does not come within the deadline ends the job on every rank, with a
// message that names it.
#pragma once
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "collectives/transport.h"

namespace lethe::collectives {

class Watch;

struct Limits {
  double deadline = 1800;  // seconds that a call may take
  double silence = 15;     // seconds without a sign of life
};

class Queue {
 public:
  using Opener = std::function<std::unique_ptr<Transport>()>;
  // Told on the queue's thread: empty, or what went wrong.
  using Done = std::function<void(const std::string& error)>;

  // Opens the transport on the queue's thread. Throws what the opener throws.
  Queue(Opener open, Limits limits);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  int rank() const { return transport_->rank(); }
  int size() const { return transport_->size(); }
  std::string library() const { return transport_->library(); }
  const std::vector<Place>& places() const { return transport_->places(); }

  void submit(const Call& call, Done done);
  // Waits for the calls that work on this memory. Throws Error{internal} once a call has failed.
  void wait(const void* data, int64_t bytes);
  // What this rank does, for messages of this and other ranks: "step 12".
  void at(const std::string& where);
  // Waits for what was submitted and for the other ranks, then leaves the job. Ends it where they do not come.
  void close();
  // Ends every process of the job, this one too; does not return.
  [[noreturn]] void abort();

 private:
  struct Whole {
    Done done;
    int64_t pieces_left;
    std::string error;  // of the first piece that has failed
  };
  // A piece of a call.
  struct Job {
    Call call;
    std::shared_ptr<Whole> whole;
    std::chrono::steady_clock::time_point began{};
  };
  struct Line {
    std::deque<Job> waiting;
    std::optional<Job> current;  // changed by the queue's thread only
  };
  Line& next_line(const Call& call);
  void loop(const Opener& open);
  void work();
  bool await_work();
  void turn(double deadline);
  void drive(Line& line, double deadline);
  bool take(Line& line);
  void finish(Line& line, const std::string& error);
  void require_time(const Job& job, double deadline);
  void look();
  [[noreturn]] void end_job(const std::string& reason);
  Beat here();

  Limits limits_;
  std::unique_ptr<Transport> transport_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::array<Line, num_lanes> lines_;
  std::string failed_;  // the first call that has
  std::string where_ = "the start";
  int64_t calls_ = 0, tensors_ = 0;
  std::atomic<bool> aborting_{false};
  bool opened_ = false, closing_ = false;
  std::exception_ptr failure_;
  std::unique_ptr<Watch> watch_;
  std::thread thread_;
};

}  // namespace lethe::collectives
