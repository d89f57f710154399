// What the host wrote into small buffers of ids, for as long as nothing else has written there: so that the head knows
// which rows are ignored without asking the device, which would wait for everything before it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <vector>

namespace lethe::cuda {

class HostCopies {
 public:
  void wrote(const void* to, const void* host, size_t bytes);  // the host wrote a buffer, or a part of one
  void changed(const void* to, size_t bytes);                  // a kernel wrote, or the memory was released
  const int32_t* find(const void* data, size_t bytes) const;   // nullptr where it is not known

 private:
  std::map<uintptr_t, std::vector<int32_t>> copies_;
};

}  // namespace lethe::cuda
