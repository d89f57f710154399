#include "collectives/queue.h"

#include <pthread.h>
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
// Values are mostly waited for, and not for long: the thread yields at first. Then it sleeps, so that ranks that
// compute have the processor.
constexpr auto eager = std::chrono::microseconds(200);
constexpr auto nap = std::chrono::microseconds(20), long_nap = std::chrono::microseconds(100);
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
  if (call.count < 0)
    throw Error(Code::invalid_argument, name_of(call.kind),
                "expected 0 or more elements, received " + std::to_string(call.count));
  const int64_t most = std::max(int64_t{1}, transport_->most(call));
  const int64_t pieces = std::max(int64_t{1}, (call.count + most - 1) / most);
  const auto whole = std::make_shared<Whole>(Whole{std::move(done), pieces, ""});
  const std::lock_guard lock(mutex_);
  if (closing_) throw Error(Code::internal, name_of(call.kind), "the collectives are closed");
  for (int64_t i = 0; i < pieces; ++i) {
    Line& line = next_line(call);
    Job& job = line.waiting.emplace_back(Job{call, whole});
    job.call.lane = static_cast<Lane>(&line - lines_.data());
    job.call.data = static_cast<char*>(call.data) + i * most * size_of(call.type);
    job.call.count = std::min(most, call.count - i * most);
    job.call.stride = call.count;
  }
  changed_.notify_all();
}

// The same on every rank, since every rank gives the same tensors in the same order. What NCCL carries has one order
// too.
Queue::Line& Queue::next_line(const Call& call) {
  if (call.lane == Lane::values) return lines_[0];
  return lines_[call.on_gpu ? 1 : static_cast<size_t>(1 + tensors_++ % (num_lanes - 1))];
}

void Queue::wait(const void* data, int64_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(data);
  const auto works_here = [=](const Job& job) {
    const auto at = reinterpret_cast<uintptr_t>(job.call.data);
    return at >= begin && at < begin + static_cast<uintptr_t>(bytes);
  };
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return std::none_of(lines_.begin(), lines_.end(), [&](const Line& line) {
      const bool is_current = line.current && works_here(*line.current);
      return is_current || std::any_of(line.waiting.begin(), line.waiting.end(), works_here);
    });
  });
  if (!failed_.empty()) throw Error(Code::internal, "collectives", failed_);
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
  pthread_setname_np(pthread_self(), "lethe-ranks");
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
  while (await_work()) turn(limits_.deadline);
  if (aborting_) end_job("");
  std::optional<std::string> left;
  {
    const std::lock_guard lock(mutex_);
    const auto whole = std::make_shared<Whole>(Whole{[&](const std::string& error) { left = error; }, 1, ""});
    lines_[0].waiting.push_back({{}, whole});
  }
  while (!left) turn(farewell);
  if (!left->empty()) end_job(*left);
  transport_->close();
}

// False when no more calls will come.
bool Queue::await_work() {
  std::unique_lock lock(mutex_);
  const auto is_idle = [this] {
    return std::all_of(lines_.begin(), lines_.end(),
                       [](const Line& line) { return line.waiting.empty() && !line.current; });
  };
  const auto has_news = [&] { return !is_idle() || closing_ || aborting_; };
  if (size() == 1)
    changed_.wait(lock, has_news);
  else
    changed_.wait_for(lock, idle, has_news);
  return !aborting_ && !(closing_ && is_idle());
}

// Every lane a little further, and a look at the other ranks.
void Queue::turn(double deadline) {
  if (aborting_) end_job("");
  for (Line& line : lines_) drive(line, deadline);
  look();
  const std::optional<Job>& values = lines_[0].current;
  if (values && Clock::now() - values->began < eager)
    std::this_thread::yield();
  else if (values)
    std::this_thread::sleep_for(nap);
  else if (std::any_of(lines_.begin(), lines_.end(), [](const Line& line) { return line.current.has_value(); }))
    std::this_thread::sleep_for(long_nap);
}

void Queue::drive(Line& line, double deadline) {
  try {
    if (!line.current) {
      if (!take(line)) return;
      transport_->start(line.current->call);
    }
    if (transport_->finished(line.current->call.lane))
      finish(line, "");
    else
      require_time(*line.current, deadline);
  } catch (const std::exception& error) {
    finish(line, error.what());
  }
}

// The next piece of a line becomes its current one.
bool Queue::take(Line& line) {
  const std::lock_guard lock(mutex_);
  if (line.waiting.empty()) return false;
  line.current = std::move(line.waiting.front());
  line.waiting.pop_front();
  line.current->began = Clock::now();
  ++calls_;
  return true;
}

void Queue::finish(Line& line, const std::string& error) {
  const std::shared_ptr<Whole> whole = line.current->whole;
  if (whole->error.empty()) whole->error = error;
  const bool is_last = --whole->pieces_left == 0;
  {
    const std::lock_guard lock(mutex_);
    if (failed_.empty()) failed_ = error;
    line.current.reset();
    if (is_last) changed_.notify_all();
  }
  if (is_last) whole->done(whole->error);
}

void Queue::require_time(const Job& job, double deadline) {
  if (seconds_since(job.began) < deadline) return;
  const std::string behind = watch_->behind(calls_);
  end_job(std::string(name_of(job.call.kind)) + " has waited " + std::to_string(static_cast<int>(deadline)) +
          " s for " + transport_->waits_for() + (behind.empty() ? "" : ": " + behind));
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
