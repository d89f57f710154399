// Whether the other ranks live. A rank that has ended on this machine is noticed within a quarter of a second; one that
// gives no sign of life, wherever it is, after `silence` seconds. Driven by the queue's thread.
#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "collectives/transport.h"

namespace lethe::collectives {

using Clock = std::chrono::steady_clock;

class Watch {
 public:
  Watch(Transport& transport, double silence);

  // Sends and hears; empty, or why the job must end. Cheap between its times.
  std::string look(const Beat& mine);

  // Where the ranks are that have begun fewer than `calls` calls, as far as they are heard: for a call that waits.
  std::string behind(int64_t calls) const;

 private:
  std::string name(int rank) const;
  std::string ended();
  std::string silent(Clock::time_point now);

  Transport& transport_;
  double silence_;
  std::vector<Clock::time_point> heard_;
  std::vector<Beat> beats_;
  Clock::time_point next_beat_{}, next_look_{};
};

}  // namespace lethe::collectives
