#include "cuda/runtime/scratch.h"

#include <algorithm>

#include "cuda/runtime/status.h"

namespace lethe::cuda {
namespace {

constexpr size_t alignment = 256, smallest = size_t{8} << 20;

}  // namespace

Workspace::~Workspace() {
  for (const Block& block : blocks_) cudaFreeAsync(block.data, stream_);
}

void* Workspace::take(size_t bytes) {
  bytes = (std::max<size_t>(bytes, 1) + alignment - 1) / alignment * alignment;
  if (blocks_.empty() || blocks_.back().bytes - blocks_.back().used < bytes) {
    if (fixed_)
      throw Error(Code::internal, "capture",
                  "working memory grew while a graph was recorded: run the same work once before");
    Block block{nullptr, std::max(bytes, smallest), 0};
    void* data = nullptr;
    const cudaError_t status = cudaMallocAsync(&data, block.bytes, stream_);
    if (status != cudaSuccess) {
      cudaGetLastError();
      throw Error(Code::out_of_memory, "workspace",
                  "the GPU has no " + std::to_string(block.bytes) + " bytes of working memory left, beside " +
                      std::to_string(this->bytes()) + " in use");
    }
    block.data = static_cast<char*>(data);
    blocks_.push_back(block);
  }
  Block& block = blocks_.back();
  void* result = block.data + block.used;
  block.used += bytes;
  return result;
}

// Several blocks become one of their total size at the next need, so that the same work fits without growing.
void Workspace::reset() {
  if (blocks_.size() > 1) {
    const size_t total = bytes();
    for (const Block& block : blocks_) cudaFreeAsync(block.data, stream_);
    blocks_.clear();
    void* data = nullptr;
    if (cudaMallocAsync(&data, total, stream_) == cudaSuccess)
      blocks_.push_back({static_cast<char*>(data), total, 0});
    else
      cudaGetLastError();  // the next `take` tells
  }
  if (!blocks_.empty()) blocks_.back().used = 0;
}

size_t Workspace::bytes() const {
  size_t total = 0;
  for (const Block& block : blocks_) total += block.bytes;
  return total;
}

}  // namespace lethe::cuda
