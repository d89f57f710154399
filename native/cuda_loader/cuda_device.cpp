#include "cuda_loader/cuda_device.h"

#include <string>

#include "cuda/runtime/abi.h"
#include "cuda_loader/collectives.h"
#include "lethe/error.h"

namespace lethe {

// The text is "[op] text".
void check_cuda(int code, const std::string& text) {
  if (code == 0) return;
  const size_t end = text.find("] ");
  const bool has_op = !text.empty() && text[0] == '[' && end != std::string::npos;
  throw Error(static_cast<Code>(code - 1), has_op ? text.substr(1, end - 1) : "cuda",
              has_op ? text.substr(end + 2) : text);
}

namespace {

class CudaDevice final : public Device, private Memory {
 public:
  CudaDevice(const CudaFunctions& functions, int ordinal) : f_(functions) {
    if (f_.abi() != cuda::abi_number())
      throw Error(Code::not_available, "cuda",
                  "liblethe_cuda was built for another version of lethe: build it again (docs/cuda.md)");
    check(f_.open(ordinal, &device_));
  }
  const char* name() const override { return "cuda"; }
  Memory& memory() override { return *this; }
  void forget(uint64_t buffer) const { f_.forget(device_, buffer); }

#define LETHE_CUDA_CALL(stem) \
  void stem(const stem##_args& a) override { check(f_.call(device_, index_##stem, &a)); }
  LETHE_OPERATORS(LETHE_CUDA_CALL)
#undef LETHE_CUDA_CALL

 private:
#define LETHE_CUDA_INDEX(stem) index_##stem,
  enum Index : uint32_t { LETHE_OPERATORS(LETHE_CUDA_INDEX) };
#undef LETHE_CUDA_INDEX

  void check(int code) const {
    if (code != 0) check_cuda(code, f_.error());
  }
  void* allocate(size_t bytes) override {
    void* data = nullptr;
    check(f_.alloc(device_, bytes, &data));
    return data;
  }
  void release(void* data) override { f_.free(device_, data); }
  void write(void* to, const void* host, size_t bytes) override { check(f_.write(device_, to, host, bytes)); }
  void read(void* host, const void* from, size_t bytes) override { check(f_.read(device_, host, from, bytes)); }

  CudaFunctions f_;
  lethe_cuda* device_ = nullptr;
};

}  // namespace

std::unique_ptr<Device> make_cuda_device(const CudaFunctions& functions, int ordinal) {
  return std::make_unique<CudaDevice>(functions, ordinal);
}

void forget_cuda_buffer(const Device& device, uint64_t buffer) {
  static_cast<const CudaDevice&>(device).forget(buffer);
}

}  // namespace lethe
