#include "collectives/watch.h"

#include "collectives/place.h"

namespace lethe::collectives {
namespace {

constexpr auto beat_every = std::chrono::seconds(1);
constexpr auto look_every = std::chrono::milliseconds(200);

}  // namespace

Watch::Watch(Transport& transport, double silence)
    : transport_(transport),
      silence_(silence),
      heard_(static_cast<size_t>(transport.size()), Clock::now()),
      beats_(static_cast<size_t>(transport.size())) {}

std::string Watch::look(const Beat& mine) {
  if (transport_.size() == 1) return "";
  const auto now = Clock::now();
  if (now < next_look_) return "";
  next_look_ = now + look_every;
  int from = 0;
  for (Beat beat; transport_.heard(from, beat);) {
    heard_[static_cast<size_t>(from)] = now;
    beats_[static_cast<size_t>(from)] = beat;
  }
  if (now >= next_beat_) {
    transport_.beat(mine);
    next_beat_ = now + beat_every;
  }
  std::string found = ended();
  return found.empty() ? silent(now) : found;
}

std::string Watch::name(int rank) const {
  const Place& place = transport_.places()[static_cast<size_t>(rank)];
  return "rank " + std::to_string(rank) + " (process " + std::to_string(place.pid) + " on " + place.host + ")";
}

std::string Watch::ended() {
  const auto& places = transport_.places();
  const Place& mine = places[static_cast<size_t>(transport_.rank())];
  for (int rank = 0; rank < transport_.size(); ++rank)
    if (!may_live(places[static_cast<size_t>(rank)], mine)) return name(rank) + " has ended";
  return "";
}

// Rank 0 hears all, the others hear rank 0.
std::string Watch::silent(Clock::time_point now) {
  const int heard = transport_.rank() == 0 ? transport_.size() : 1;
  for (int rank = 0; rank < heard; ++rank) {
    if (rank == transport_.rank()) continue;
    const std::chrono::duration<double> quiet = now - heard_[static_cast<size_t>(rank)];
    if (quiet.count() > silence_)
      return name(rank) + " has given no sign of life for " + std::to_string(static_cast<int>(quiet.count())) + " s";
  }
  return "";
}

std::string Watch::behind(int64_t calls) const {
  std::string text;
  for (int rank = 0; rank < transport_.size(); ++rank) {
    const Beat& beat = beats_[static_cast<size_t>(rank)];
    if (rank == transport_.rank() || beat.where[0] == 0 || beat.calls >= calls) continue;
    text += (text.empty() ? "" : "; ") + name(rank) + " is at " + beat.where;
  }
  return text;
}

}  // namespace lethe::collectives
