#include "lethe/device.h"

#include "core/host_memory.h"
#include "cpu/operators.h"
#include "cpu/vector/kernels.h"

namespace lethe {
namespace {

class CpuDevice final : public Device {
 public:
  const char* name() const override { return "cpu"; }
  Memory& memory() override { return host_memory(); }

#define LETHE_VECTOR(stem) \
  void stem(const stem##_args& a) override { cpu::kernels().stem(a); }
  LETHE_VECTOR_OPERATORS(LETHE_VECTOR)

  void embedding(const embedding_args& a) override { cpu::embedding(a); }
  void linear(const linear_args& a) override { cpu::linear(a); }
  void linear_backward(const linear_backward_args& a) override { cpu::linear_backward(a); }
  void unlearn_head(const unlearn_head_args& a) override { cpu::unlearn_head(a); }
  void fill(const fill_args& a) override { cpu::fill(a); }
  void matmul(const matmul_args& a) override { cpu::matmul(a); }
  void copy_block(const copy_block_args& a) override { cpu::copy_block(a); }
  void convert(const convert_args& a) override { cpu::convert(a); }
};

}  // namespace

Device& cpu_device() {
  static CpuDevice device;
  return device;
}

}  // namespace lethe
