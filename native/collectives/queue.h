// Collectives in the order in which they are given, on a thread of their own, each with a deadline. A rank that has
// ended, gives no sign of life or does not come within the deadline ends the job on every rank, with a message that
// names it.
#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
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
  // What this rank does, for messages of this and other ranks: "step 12".
  void at(const std::string& where);
  // Waits for what was submitted and for the other ranks, then leaves the job. Ends it where they do not come.
  void close();
  // Ends every process of the job, this one too; does not return.
  [[noreturn]] void abort();

 private:
  struct Job {
    Call call;
    Done done;
  };
  void loop(const Opener& open);
  void work();
  std::string carry_out(const Call& call, double deadline);
  void wait(const Call& call, double deadline);
  void look();
  [[noreturn]] void end_job(const std::string& reason);
  Beat here();

  Limits limits_;
  std::unique_ptr<Transport> transport_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  std::string where_ = "the start";
  int64_t calls_ = 0;
  std::atomic<bool> aborting_{false};
  bool opened_ = false, closing_ = false;
  std::exception_ptr failure_;
  std::unique_ptr<Watch> watch_;
  std::thread thread_;
};

}  // namespace lethe::collectives
