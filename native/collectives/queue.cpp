#include "collectives/queue.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "collectives/watch.h"
#include "lethe/error.h"

namespace lethe::collectives {
namespace {

constexpr auto idle = std::chrono::milliseconds(50);
// A call first yields, for it is mostly short; then it sleeps, so that ranks that compute have the processor.
constexpr auto eager = std::chrono::microseconds(200);
constexpr auto nap = std::chrono::microseconds(20);
constexpr int64_t most_elements = int64_t{1} << 28;  // of one piece: MPI counts in int
constexpr auto patience = std::chrono::milliseconds(300);
constexpr double farewell = 20;  // seconds for the other ranks to come to the end

const char* name_of(Kind kind) {
  static constexpr const char* names[] = {"all_reduce", "reduce_scatter", "all_gather", "broadcast", "barrier"};
  return names[static_cast<size_t>(kind)];
}

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// Launchers drop what they have not read of a rank's pipe when the job ends: until they have, or two seconds. A file or
// a terminal keeps what was written.
void wait_until_read(int pipe) {
  int unread = 0;
  for (int i = 0; i < 100 && ioctl(pipe, FIONREAD, &unread) == 0 && unread > 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

bool is_split(Kind kind) { return kind == Kind::all_reduce || kind == Kind::broadcast; }

}  // namespace

Queue::Queue(Opener open, Limits limits) : limits_(limits) {
  thread_ = std::thread([this, open] { loop(open); });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return opened_ || failure_; });
  if (!failure_) return;
  lock.unlock();
  thread_.join();
  std::rethrow_exception(failure_);
}

Queue::~Queue() { close(); }

void Queue::submit(const Call& call, Done done) {
  if (call.count < 0 || (!is_split(call.kind) && call.count > most_elements))
    throw Error(Code::invalid_argument, name_of(call.kind),
                "expected 0 to " + std::to_string(most_elements) + " elements, received " + std::to_string(call.count));
  const std::lock_guard lock(mutex_);
  if (closing_) throw Error(Code::internal, name_of(call.kind), "the collectives are closed");
  jobs_.push_back({call, std::move(done)});
  changed_.notify_all();
}

void Queue::at(const std::string& where) {
  const std::lock_guard lock(mutex_);
  where_ = where;
}

void Queue::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Queue::abort() {
  {
    const std::lock_guard lock(mutex_);
    aborting_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  _exit(1);
}

void Queue::loop(const Opener& open) {
  try {
    transport_ = open();
    watch_ = std::make_unique<Watch>(*transport_, limits_.silence);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    failure_ = std::current_exception();
    changed_.notify_all();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    opened_ = true;
    changed_.notify_all();
  }
  work();
}

void Queue::work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      const auto has_work = [this] { return !jobs_.empty() || closing_ || aborting_; };
      if (size() == 1)
        changed_.wait(lock, has_work);
      else
        changed_.wait_for(lock, idle, has_work);
      if (aborting_) break;
      if (jobs_.empty() && closing_) break;
      if (!jobs_.empty()) {
        job = std::move(jobs_.front());
        jobs_.pop_front();
      }
    }
    if (job.done)
      job.done(carry_out(job.call, limits_.deadline));
    else
      look();
  }
  if (aborting_) end_job("");
  const std::string error = carry_out({}, farewell);
  if (!error.empty()) end_job(error);
  transport_->close();
}

std::string Queue::carry_out(const Call& call, double deadline) {
  try {
    const int64_t piece = is_split(call.kind) ? most_elements : call.count;
    int64_t from = 0;
    {
      const std::lock_guard lock(mutex_);
      ++calls_;
    }
    do {
      Call part = call;
      part.count = std::min(piece, call.count - from);
      part.data = static_cast<char*>(call.data) + from * size_of(call.type);
      transport_->start(part);
      wait(call, deadline);
      from += piece;
    } while (from < call.count);
  } catch (const std::exception& error) {
    return error.what();
  }
  return "";
}

void Queue::wait(const Call& call, double deadline) {
  const auto start = Clock::now();
  while (!transport_->finished()) {
    if (aborting_) end_job("");
    look();
    if (Clock::now() - start < eager)
      std::this_thread::yield();
    else
      std::this_thread::sleep_for(nap);
    if (seconds_since(start) < deadline) continue;
    const std::string behind = watch_->behind(calls_);
    end_job(std::string(name_of(call.kind)) + " has waited " + std::to_string(static_cast<int>(deadline)) +
            " s for other ranks" + (behind.empty() ? "" : ": " + behind));
  }
}

Beat Queue::here() {
  Beat beat;
  const std::lock_guard lock(mutex_);
  beat.calls = calls_;
  std::strncpy(beat.where, where_.c_str(), sizeof(beat.where) - 1);
  return beat;
}

void Queue::look() {
  const std::string reason = watch_->look(here());
  if (!reason.empty()) end_job(reason);
}

// One message is enough: the lowest rank that lives says it, and ends the others while they wait to.
void Queue::end_job(const std::string& reason) {
  if (!reason.empty()) {
    std::this_thread::sleep_for(std::min(rank(), 2) * patience);
    const std::string text =
        "lethe: rank " + std::to_string(rank()) + ", " + here().where + ": " + reason +
        "; the job ends on all ranks; the last checkpoint is kept, and the same command goes on from it\n";
    (void)!write(STDERR_FILENO, text.data(), text.size());
    wait_until_read(STDERR_FILENO);
  }
  // The library may wait for what is gone.
  std::thread([] {
    std::this_thread::sleep_for(std::chrono::seconds(5));
    _exit(1);
  }).detach();
  transport_->abort();
  _exit(1);
}

}  // namespace lethe::collectives
