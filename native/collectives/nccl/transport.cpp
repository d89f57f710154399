// NCCL for memory of GPUs, over another transport for all else: what is on the host, signs of life, and the id by which
// the GPUs of a job find each other. NCCL is opened at the first call on memory of a GPU, by all ranks together.
#include "collectives/transport.h"

#include <chrono>
#include <thread>

#include "cuda_loader/collectives.h"
#include "lethe/error.h"

namespace lethe::collectives {
namespace {

constexpr int64_t id_bytes = 128;
constexpr auto nap = std::chrono::microseconds(50);

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

  void start(const Call& call) override {
    on_gpu_ = call.on_gpu;
    if (!on_gpu_) return host_->start(call);
    if (!is_open_) open();
    if (call.kind == Kind::barrier || (call.type != Type::f32 && call.type != Type::bf16))
      throw Error(Code::invalid_argument, "nccl", "expected a call on fp32 or bf16 of the GPU");
    check(queue(call, call.type == Type::bf16));
  }

  bool finished() override {
    if (!on_gpu_) return host_->finished();
    int32_t done = 0;
    check(gpu_.done(gpu_.device, &done));
    return done != 0;
  }

 private:
  int queue(const Call& call, bool bf16) const {
    switch (call.kind) {
      case Kind::all_reduce:
        return gpu_.all_reduce(gpu_.device, call.data, call.count, bf16);
      case Kind::reduce_scatter:
        return gpu_.reduce_scatter(gpu_.device, call.data, call.count, bf16);
      case Kind::all_gather:
        return gpu_.all_gather(gpu_.device, call.data, call.count, bf16);
      default:
        return gpu_.broadcast(gpu_.device, call.data, call.count, bf16, call.root);
    }
  }

  // No rank waits for one that has no NCCL: all fail.
  void open() {
    unsigned char id[id_bytes] = {};
    std::string missing;
    try {
      gpu_ = cuda_collectives();
      check(gpu_.id(id));
    } catch (const Error& error) {
      missing = error.what();
    }
    double failures = missing.empty() ? 0 : 1;
    on_host({Kind::all_reduce, Type::f64, &failures, 1});
    if (!missing.empty()) throw Error(Code::not_available, "nccl", missing);
    if (failures > 0) throw Error(Code::not_available, "nccl", "another rank has no NCCL");
    on_host({Kind::broadcast, Type::bytes, id, id_bytes});
    check(gpu_.open(gpu_.device, id, rank(), size()));
    is_open_ = true;
  }

  void on_host(const Call& call) {
    host_->start(call);
    while (!host_->finished()) std::this_thread::sleep_for(nap);
  }

  void check(int code) const {
    if (code != 0) check_cuda(code, gpu_.error());
  }

  std::unique_ptr<Transport> host_;
  CudaCollectives gpu_;
  bool is_open_ = false, on_gpu_ = false;
};

}  // namespace

std::unique_ptr<Transport> open_nccl() { return std::make_unique<Nccl>(open_mpi()); }

}  // namespace lethe::collectives
