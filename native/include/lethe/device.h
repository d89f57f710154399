// A device runs the operators of the table over buffers that it can reach. Implemented by reference/, cpu/ and cuda/.
#pragma once
#include "lethe/ops.h"

namespace lethe {

// Where a device keeps its buffers. reference and cpu share the host's.
class Memory {
 public:
  virtual ~Memory() = default;
  virtual void* allocate(size_t bytes) = 0;  // 64-byte aligned; throws Error{out_of_memory} with the sizes
  virtual void release(void* data) = 0;
  virtual void write(void* to, const void* host, size_t bytes) = 0;
  virtual void read(void* host, const void* from, size_t bytes) = 0;  // waits for the work that writes `from`
};

class Device {
 public:
  virtual ~Device() = default;
  virtual const char* name() const = 0;
  virtual Memory& memory() = 0;
  virtual bool stores_bf16() const { return true; }
#define LETHE_VIRTUAL(stem) virtual void stem(const stem##_args& a) = 0;
  LETHE_OPERATORS(LETHE_VIRTUAL)
#undef LETHE_VIRTUAL
};

Device& reference_device();  // fp64 accumulation, fp32 storage, one thread, obvious code: the oracle
Device& cpu_device();        // vectorised, threaded, oneDNN
Device& cuda_device();       // throws Error{not_available} where there is none

}  // namespace lethe
