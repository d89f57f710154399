// Working memory of the operators: a stack per thread, kept from call to call so that the steady state allocates
// nothing.
#pragma once
#include <cstddef>
#include <cstdint>

namespace lethe::cpu {

// A frame of the calling thread's stack. What it hands out is 64-byte aligned, holds garbage, and dies with the frame.
class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  void* bytes(size_t count);  // throws Error{out_of_memory}
  float* floats(int64_t count);
  uint16_t* halves(int64_t count);
  double* doubles(int64_t count);
  int32_t* ints(int64_t count);

 private:
  size_t block_, used_;  // where the stack stood when the frame began
};

}  // namespace lethe::cpu
