// MPI: non-blocking calls that are tested, never waited for, so that a rank that does not come is noticed. Everything
// happens on one thread, so that MPI need not be built for several.
#include "collectives/transport.h"

#include <cstring>
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

void add_bf16(void* in, void* inout, int* length, void*) {
  const auto* x = static_cast<const uint16_t*>(in);
  auto* y = static_cast<uint16_t*>(inout);
  for (int i = 0; i < *length; ++i) y[i] = to_bf16(from_bf16(y[i]) + from_bf16(x[i]));
}

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
    for (Handle* own : {&calls_, &beats_}) check(f_.duplicate(c_.world, own), "MPI_Comm_dup");
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

  void start(const Call& call) override {
    call_ = call;
    const int count = static_cast<int>(call.count);
    const Handle type = type_of(call.type);
    switch (call.kind) {
      case Kind::all_reduce:
        return check(f_.all_reduce(c_.in_place, call.data, count, type, operation(), calls_, &request_),
                     "MPI_Iallreduce");
      case Kind::reduce_scatter:
        part_.resize(static_cast<size_t>(bytes()));
        return check(f_.reduce_scatter(call.data, part_.data(), count, type, operation(), calls_, &request_),
                     "MPI_Ireduce_scatter_block");
      case Kind::all_gather:
        return check(f_.all_gather(c_.in_place, 0, type, call.data, count, type, calls_, &request_), "MPI_Iallgather");
      case Kind::broadcast:
        return check(f_.broadcast(call.data, count, type, call.root, calls_, &request_), "MPI_Ibcast");
      case Kind::barrier:
        return check(f_.barrier(calls_, &request_), "MPI_Ibarrier");
    }
  }

  bool finished() override {
    if (!is_done(&request_)) return false;
    if (call_.kind == Kind::reduce_scatter)
      std::memcpy(static_cast<char*>(call_.data) + rank_ * bytes(), part_.data(), part_.size());
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

  int64_t bytes() const { return call_.count * size_of(call_.type); }
  Handle operation() const { return call_.type == Type::bf16 ? add_ : c_.sum; }
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
  Handle calls_{}, beats_{}, add_{}, request_{};
  std::vector<Place> places_;
  std::vector<Peer> peers_;  // rank 0's: all others; theirs: rank 0. Never moved once requests point into it
  Call call_;
  std::vector<char> part_;
};

}  // namespace

std::unique_ptr<Transport> open_mpi() {
  static const Library& library = *new Library;
  if (library.family() == Family::open_mpi)
    return std::make_unique<Mpi<void*>>(library.version(), library.open_mpi_functions(), library.open_mpi_constants());
  return std::make_unique<Mpi<int>>(library.version(), library.mpich_functions(), Library::mpich_constants());
}

}  // namespace lethe::collectives
