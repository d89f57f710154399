// MPI: non-blocking calls that are tested, never waited for, so that a rank that does not come is noticed. Everything
// happens on one thread, so that MPI need not be built for several.
#include "collectives/transport.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <vector>

#include "collectives/mpi/library.h"
#include "collectives/place.h"
#include "core/bf16.h"
#include "lethe/error.h"

namespace lethe::collectives {
namespace {

using namespace mpi;

constexpr int funneled = 1;  // MPI_THREAD_FUNNELED, in both families
constexpr int beat_tag = 7;
// Bytes of a call that are carried at once, of all parts together: what comes between waits for so much.
constexpr int64_t most_bytes = int64_t{1} << 20;

void add_bf16(void* in, void* inout, int* length, void*) {
  const auto* x = static_cast<const uint16_t*>(in);
  auto* y = static_cast<uint16_t*>(inout);
  for (int i = 0; i < *length; ++i) y[i] = to_bf16(from_bf16(y[i]) + from_bf16(x[i]));
}

template <class T>
void add_values(void* into, const void* from, int64_t count) {
  auto* y = static_cast<T*>(into);
  const auto* x = static_cast<const T*>(from);
  for (int64_t i = 0; i < count; ++i) y[i] += x[i];
}

void add_to(void* into, void* from, int64_t count, Type type) {
  if (type == Type::f32) return add_values<float>(into, from, count);
  if (type == Type::f64) return add_values<double>(into, from, count);
  int length = static_cast<int>(count);
  add_bf16(from, into, &length, nullptr);
}

// A reduce_scatter is MPI_Ialltoallv and a sum here: every part goes once from each rank to its own, where Open MPI's
// MPI_Ireduce_scatter_block carries the whole up a tree to rank 0 and the parts back, three times as much for two
// ranks.
template <class Handle>
class Mpi final : public Transport {
 public:
  Mpi(std::string version, const Functions<Handle>& functions, const Constants<Handle>& constants)
      : version_(std::move(version)), f_(functions), c_(constants) {
    int provided = 0;
    check(f_.init(nullptr, nullptr, funneled, &provided), "MPI_Init_thread");
    check(f_.set_errhandler(c_.world, c_.errors_return), "MPI_Comm_set_errhandler");
    check(f_.rank(c_.world, &rank_), "MPI_Comm_rank");
    check(f_.size(c_.world, &size_), "MPI_Comm_size");
    check(f_.duplicate(c_.world, &beats_), "MPI_Comm_dup");
    for (Channel& channel : channels_) check(f_.duplicate(c_.world, &channel.calls), "MPI_Comm_dup");
    check(f_.make_operation(add_bf16, 1, &add_), "MPI_Op_create");
    const Place mine = this_place();
    places_.resize(static_cast<size_t>(size_));
    check(f_.gather_all(&mine, sizeof(Place), c_.byte, places_.data(), sizeof(Place), c_.byte, c_.world),
          "MPI_Allgather");
    for (int rank = 0; rank < size_; ++rank)
      if (rank != rank_ && (rank_ == 0 || rank == 0)) peers_.emplace_back().rank = rank;
    for (Peer& peer : peers_) receive(peer);
  }

  int rank() const override { return rank_; }
  int size() const override { return size_; }
  std::string library() const override { return version_; }
  const std::vector<Place>& places() const override { return places_; }

  int64_t most(const Call& call) const override {
    return std::max(int64_t{1}, most_bytes / size_of(call.type) / (is_divided(call.kind) ? size_ : 1));
  }

  void start(const Call& call) override {
    Channel& channel = channel_of(call.lane);
    channel.call = call;
    const int count = static_cast<int>(call.count);
    const Handle type = type_of(call.type), calls = channel.calls;
    Handle* request = &channel.request;
    if (is_divided(call.kind)) channel.place(size_);
    switch (call.kind) {
      case Kind::all_reduce:
        return check(f_.all_reduce(c_.in_place, call.data, count, type, operation(call.type), calls, request),
                     "MPI_Iallreduce");
      case Kind::reduce_scatter:
        channel.parts.resize(static_cast<size_t>(size_ * bytes(call) + 1));  // MPICH wants memory for nothing too
        return check(f_.all_to_all(call.data, channel.counts.data(), channel.apart.data(), type, channel.parts.data(),
                                   channel.counts.data(), channel.together.data(), type, calls, request),
                     "MPI_Ialltoallv");
      case Kind::all_gather:
        return check(f_.all_gather(c_.in_place, 0, type, call.data, channel.counts.data(), channel.apart.data(), type,
                                   calls, request),
                     "MPI_Iallgatherv");
      case Kind::broadcast:
        return check(f_.broadcast(call.data, count, type, call.root, calls, request), "MPI_Ibcast");
      case Kind::barrier:
        return check(f_.barrier(calls, request), "MPI_Ibarrier");
    }
  }

  bool finished(Lane lane) override {
    Channel& channel = channel_of(lane);
    if (!is_done(&channel.request)) return false;
    if (channel.call.kind == Kind::reduce_scatter) add_parts(channel);
    return true;
  }

  void beat(const Beat& mine) override {
    for (Peer& peer : peers_) {
      if (peer.sending && !is_done(&peer.sent)) continue;
      peer.mine = mine;
      check(f_.send(&peer.mine, sizeof(Beat), c_.byte, peer.rank, beat_tag, beats_, &peer.sent), "MPI_Isend");
      peer.sending = true;
    }
  }

  bool heard(int& from, Beat& beat) override {
    for (Peer& peer : peers_) {
      if (!is_done(&peer.received)) continue;
      from = peer.rank;
      beat = peer.theirs;
      receive(peer);
      return true;
    }
    return false;
  }

  void abort() noexcept override { f_.abort(c_.world, 1); }

  void close() override {
    for (Peer& peer : peers_) {
      f_.cancel(&peer.received);
      while (!is_done(&peer.received)) continue;
      if (peer.sending && !is_done(&peer.sent)) f_.forget(&peer.sent);
    }
    f_.finalize();
  }

 private:
  struct Peer {
    int rank = 0;
    Handle received{}, sent{};
    bool sending = false;
    Beat mine{}, theirs{};
  };

  // A lane: its call, by messages of its own.
  struct Channel {
    Handle calls{}, request{};
    Call call;
    std::vector<char> parts;                   // of a reduce_scatter: this rank's part as each rank has it
    std::vector<int> counts, apart, together;  // elements of each rank's part; where it is in the whole, and in `parts`

    void place(int ranks) {
      if (ranks * call.stride > std::numeric_limits<int>::max())
        throw Error(
            Code::invalid_argument, "mpi",
            "expected at most 2147483647 elements over all ranks, received " + std::to_string(ranks * call.stride));
      counts.assign(static_cast<size_t>(ranks), static_cast<int>(call.count));
      apart.clear();
      together.clear();
      for (int rank = 0; rank < ranks; ++rank) {
        apart.push_back(static_cast<int>(rank * call.stride));
        together.push_back(static_cast<int>(rank * call.count));
      }
    }
  };
  static bool is_divided(Kind kind) { return kind == Kind::reduce_scatter || kind == Kind::all_gather; }
  Channel& channel_of(Lane lane) { return channels_[static_cast<size_t>(lane)]; }
  static int64_t bytes(const Call& call) { return call.count * size_of(call.type); }
  Handle operation(Type type) const { return type == Type::bf16 ? add_ : c_.sum; }

  // The sum of all ranks' parts, pair by pair: (0 + 1) + (2 + 3) and so on.
  void add_parts(Channel& channel) const {
    const Call& call = channel.call;
    char* const parts = channel.parts.data();
    const int64_t each = bytes(call);
    for (int step = 1; step < size_; step *= 2)
      for (int i = 0; i + step < size_; i += 2 * step)
        add_to(parts + i * each, parts + (i + step) * each, call.count, call.type);
    char* const mine = static_cast<char*>(call.data) + rank_ * call.stride * size_of(call.type);
    std::memcpy(mine, parts, static_cast<size_t>(each));
  }
  Handle type_of(Type type) const {
    return type == Type::f32 ? c_.f32 : type == Type::f64 ? c_.f64 : type == Type::bf16 ? c_.u16 : c_.byte;
  }
  void receive(Peer& peer) {
    check(f_.receive(&peer.theirs, sizeof(Beat), c_.byte, peer.rank, beat_tag, beats_, &peer.received), "MPI_Irecv");
  }
  bool is_done(Handle* request) {
    int done = 0;
    check(f_.test(request, &done, c_.no_status), "MPI_Test");
    return done != 0;
  }
  void check(int code, const char* call) {
    if (code == 0) return;
    char text[513] = {};
    int length = 0;
    f_.error_string(code, text, &length);
    throw Error(Code::internal, "mpi", std::string(call) + " failed: " + text);
  }

  std::string version_;
  Functions<Handle> f_;
  Constants<Handle> c_;
  int rank_ = 0, size_ = 1;
  Handle beats_{}, add_{};
  Channel channels_[num_lanes];
  std::vector<Place> places_;
  std::vector<Peer> peers_;  // rank 0's: all others; theirs: rank 0. Never moved once requests point into it
};

}  // namespace

std::unique_ptr<Transport> open_mpi() {
  static const Library& library = *new Library;
  if (library.family() == Family::open_mpi)
    return std::make_unique<Mpi<void*>>(library.version(), library.open_mpi_functions(), library.open_mpi_constants());
  return std::make_unique<Mpi<int>>(library.version(), library.mpich_functions(), Library::mpich_constants());
}

}  // namespace lethe::collectives
