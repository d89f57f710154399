#include "cuda/kept_copies.h"

#include <string>

#include "cuda/status.h"

namespace lethe::cuda {

KeptCopies::Copy KeptCopies::of(const Tensor& x, CopyKind kind, size_t bytes) {
  Copy& copy = copies_[static_cast<int>(kind)][x.buffer];
  if (copy.bytes != bytes) {
    if (copy.data) cudaFreeAsync(copy.data, stream_);
    copy = {};
    if (cudaMallocAsync(&copy.data, bytes, stream_) != cudaSuccess) {
      cudaGetLastError();
      copy.data = nullptr;
      throw Error(Code::out_of_memory, "weights",
                  "the GPU has no " + std::to_string(bytes) + " bytes left for a 2-byte copy of a weight");
    }
    copy.bytes = bytes;
  }
  copy.is_current = copy.version == x.version;
  copy.version = x.version;
  return copy;
}

KeptCopies::Copy* KeptCopies::find(const Tensor& x, CopyKind kind) {
  auto& copies = copies_[static_cast<int>(kind)];
  const auto found = x.buffer == 0 ? copies.end() : copies.find(x.buffer);
  return found == copies.end() ? nullptr : &found->second;
}

void KeptCopies::forget(uint64_t buffer) {
  if (buffer == 0) return clear();
  for (auto& copies : copies_) {
    const auto found = copies.find(buffer);
    if (found == copies.end()) continue;
    cudaFreeAsync(found->second.data, stream_);
    copies.erase(found);
  }
}

void KeptCopies::clear() {
  for (auto& copies : copies_) {
    for (auto& [id, copy] : copies) cudaFreeAsync(copy.data, stream_);
    copies.clear();
  }
}

size_t KeptCopies::bytes() const {
  size_t total = 0;
  for (const auto& copies : copies_)
    for (const auto& [id, copy] : copies) total += copy.bytes;
  return total;
}

}  // namespace lethe::cuda
