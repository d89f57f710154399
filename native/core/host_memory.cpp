#include "core/host_memory.h"

#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <string>

#include "lethe/error.h"

namespace lethe {
namespace {

constexpr size_t line = 64, huge_page = size_t{2} << 20;

class HostMemory final : public Memory {
 public:
  void* allocate(size_t bytes) override {
    // Blocks of a huge page and more are aligned to one: a step touches gigabytes, and TLB misses would show.
    const size_t alignment = bytes >= huge_page ? huge_page : line;
    if (bytes > SIZE_MAX - alignment) fail(bytes);
    const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
    void* data = std::aligned_alloc(alignment, rounded ? rounded : line);
    if (!data) fail(bytes);
    if (bytes >= huge_page) madvise(data, rounded, MADV_HUGEPAGE);
    return data;
  }
  void release(void* data) override { std::free(data); }
  void write(void* to, const void* host, size_t bytes) override { std::memcpy(to, host, bytes); }
  void read(void* host, const void* from, size_t bytes) override { std::memcpy(host, from, bytes); }

 private:
  [[noreturn]] static void fail(size_t bytes) {
    throw Error(Code::out_of_memory, "alloc", "the host has no " + std::to_string(bytes) + " bytes left");
  }
};

}  // namespace

Memory& host_memory() {
  static HostMemory memory;
  return memory;
}

}  // namespace lethe
