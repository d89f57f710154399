#include "lethe/device.h"

#include "core/host_memory.h"
#include "reference/operators.h"

namespace lethe {
namespace {

class ReferenceDevice final : public Device {
 public:
  const char* name() const override { return "reference"; }
  Memory& memory() override { return host_memory(); }
  bool stores_bf16() const override { return false; }
#define LETHE_OVERRIDE(stem) \
  void stem(const stem##_args& a) override { reference::stem(a); }
  LETHE_OPERATORS(LETHE_OVERRIDE)
};

}  // namespace

Device& reference_device() {
  static ReferenceDevice device;
  return device;
}

}  // namespace lethe
