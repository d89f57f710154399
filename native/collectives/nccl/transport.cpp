// NCCL for memory of GPUs, over another transport for all else: what is on the host, signs of life, and the id by which
// the GPUs of a job find each other. NCCL is opened at the first call on memory of a GPU, by all ranks together.
#include "collectives/transport.h"

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "cuda_loader/collectives.h"
#include "lethe/error.h"

namespace lethe::collectives {
namespace {

constexpr int64_t id_bytes = 128;

class Nccl final : public Transport {
 public:
  explicit Nccl(std::unique_ptr<Transport> host) : host_(std::move(host)) {}

  int rank() const override { return host_->rank(); }
  int size() const override { return host_->size(); }
  std::string library() const override { return host_->library(); }
  const std::vector<Place>& places() const override { return host_->places(); }
  void beat(const Beat& mine) override { host_->beat(mine); }
  bool heard(int& from, Beat& beat) override { return host_->heard(from, beat); }
  void abort() noexcept override { host_->abort(); }
  void close() override { host_->close(); }

  int64_t most(const Call& call) const override { return call.on_gpu ? call.count : host_->most(call); }
  const char* waits_for() const override {
    return stage_ == Stage::opening ? "NCCL to open (NCCL_DEBUG=INFO makes it say what it does)" : host_->waits_for();
  }

  void start(const Call& call) override {
    on_gpu_[index(call.lane)] = call.on_gpu;
    if (!call.on_gpu) return host_->start(call);
    if (call.kind == Kind::barrier || (call.type != Type::f32 && call.type != Type::bf16))
      throw Error(Code::invalid_argument, "nccl", "expected a call on fp32 or bf16 of the GPU");
    if (stage_ == Stage::open) return queue(call);
    first_ = call;
    agree();
  }

  bool finished(Lane lane) override {
    if (!on_gpu_[index(lane)]) return host_->finished(lane);
    if (stage_ != Stage::open && !has_opened()) return false;
    int32_t done = 0;
    check(gpu_.done(gpu_.device, &done));
    return done != 0;
  }

 private:
  static size_t index(Lane lane) { return static_cast<size_t>(lane); }

  // What the first call on memory of a GPU goes through; another rank may take its time at each.
  enum class Stage { closed, agreeing, telling, opening, open };

  void queue(const Call& call) const {
    const bool bf16 = call.type == Type::bf16;
    switch (call.kind) {
      case Kind::all_reduce:
        return check(gpu_.all_reduce(gpu_.device, call.data, call.count, bf16));
      case Kind::reduce_scatter:
        return check(gpu_.reduce_scatter(gpu_.device, call.data, call.count, bf16));
      case Kind::all_gather:
        return check(gpu_.all_gather(gpu_.device, call.data, call.count, bf16));
      default:
        return check(gpu_.broadcast(gpu_.device, call.data, call.count, bf16, call.root));
    }
  }

  // No rank waits for one that has no NCCL: all fail.
  void agree() {
    missing_.clear();
    try {
      gpu_ = cuda_collectives();
      check(gpu_.id(id_));
    } catch (const Error& error) {
      missing_ = error.what();
    }
    failures_ = missing_.empty() ? 0 : 1;
    host_->start({Kind::all_reduce, Type::f64, &failures_, 1, 0, false, first_.lane});
    stage_ = Stage::agreeing;
  }

  bool has_opened() {
    if (stage_ == Stage::opening) {
      if (opening_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return false;
      const std::string failed = opening_.get();
      if (!failed.empty()) fail(failed);
      queue(first_);
      stage_ = Stage::open;
      return true;
    }
    if (!host_->finished(first_.lane)) return false;
    if (stage_ == Stage::agreeing) {
      if (!missing_.empty()) fail(missing_);
      if (failures_ > 0) fail("another rank has no NCCL");
      host_->start({Kind::broadcast, Type::bytes, id_, id_bytes, 0, false, first_.lane});
      stage_ = Stage::telling;
    } else {
      open();
      stage_ = Stage::opening;
    }
    return false;
  }

  // On a thread of its own, for it may never return: the queue's goes on to look at the other ranks and at the clock.
  void open() {
    std::packaged_task<std::string()> task([gpu = gpu_, id = std::string(reinterpret_cast<char*>(id_), id_bytes),
                                            rank = rank(), ranks = size()]() -> std::string {
      const auto* bytes = reinterpret_cast<const unsigned char*>(id.data());
      return gpu.open(gpu.device, bytes, rank, ranks) == 0 ? "" : gpu.error();
    });
    opening_ = task.get_future();
    std::thread(std::move(task)).detach();
  }

  [[noreturn]] void fail(const std::string& reason) {
    stage_ = Stage::closed;
    throw Error(Code::not_available, "nccl", reason);
  }

  void check(int code) const {
    if (code != 0) check_cuda(code, gpu_.error());
  }

  std::unique_ptr<Transport> host_;
  CudaCollectives gpu_;
  Stage stage_ = Stage::closed;
  Call first_;
  std::string missing_;
  double failures_ = 0;
  unsigned char id_[id_bytes] = {};
  std::future<std::string> opening_;
  bool on_gpu_[num_lanes] = {};
};

}  // namespace

std::unique_ptr<Transport> open_nccl() { return std::make_unique<Nccl>(open_mpi()); }

}  // namespace lethe::collectives
