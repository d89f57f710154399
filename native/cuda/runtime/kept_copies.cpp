#include "cuda/runtime/kept_copies.h"

#include <string>

#include "cuda/runtime/status.h"

namespace lethe::cuda {

KeptCopies::Copy KeptCopies::of(const Tensor& x, CopyKind kind, size_t bytes) {
  Copy& copy = copies_[static_cast<int>(kind)][x.buffer];
  if (copy.bytes != bytes) {
    if (recording_)
      throw Error(Code::internal, "capture",
                  "a weight was copied for the first time while a graph was recorded: run the same work once before");
    if (copy.data) release(copy.data);
    copy = {};
    if (cudaMallocAsync(&copy.data, bytes, stream_) != cudaSuccess) {
      cudaGetLastError();
      copy.data = nullptr;
      throw Error(Code::out_of_memory, "weights",
                  "the GPU has no " + std::to_string(bytes) + " bytes left for a 2-byte copy of a weight");
    }
    copy.bytes = bytes;
  }
  copy.is_current = copy.version == x.version && !recording_;
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
    release(found->second.data);
    copies.erase(found);
  }
}

void KeptCopies::clear() {
  for (auto& copies : copies_) {
    for (auto& [id, copy] : copies) release(copy.data);
    copies.clear();
  }
}

void KeptCopies::release(void* data) {
  if (recording_)
    released_.push_back(data);
  else
    cudaFreeAsync(data, stream_);
}

void KeptCopies::record(bool recording) {
  recording_ = recording;
  if (recording) return;
  for (void* data : released_) cudaFreeAsync(data, stream_);
  released_.clear();
  for (auto& copies : copies_)
    for (auto& [id, copy] : copies) copy.version = 0;  // versions of buffers begin at 1
}

size_t KeptCopies::bytes() const {
  size_t total = 0;
  for (const auto& copies : copies_)
    for (const auto& [id, copy] : copies) total += copy.bytes;
  return total;
}

}  // namespace lethe::cuda
