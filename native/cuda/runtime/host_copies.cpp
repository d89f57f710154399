#include "cuda/runtime/host_copies.h"

#include <cstring>

namespace lethe::cuda {
namespace {

constexpr size_t largest = size_t{1} << 20, most = 64;

}  // namespace

void HostCopies::changed(const void* to, size_t bytes) {
  const auto begin = reinterpret_cast<uintptr_t>(to);
  auto at = copies_.lower_bound(begin);
  if (at != copies_.begin()) {
    const auto before = std::prev(at);
    if (before->first + before->second.size() * 4 > begin) at = before;
  }
  while (at != copies_.end() && at->first < begin + bytes) at = copies_.erase(at);
}

void HostCopies::wrote(const void* to, const void* host, size_t bytes) {
  changed(to, bytes);
  if (bytes == 0 || bytes > largest || bytes % 4 != 0) return;
  if (copies_.size() >= most) copies_.clear();
  std::vector<int32_t> words(bytes / 4);
  std::memcpy(words.data(), host, bytes);
  copies_[reinterpret_cast<uintptr_t>(to)] = std::move(words);
}

const int32_t* HostCopies::find(const void* data, size_t bytes) const {
  const auto found = copies_.find(reinterpret_cast<uintptr_t>(data));
  return found != copies_.end() && found->second.size() * 4 == bytes ? found->second.data() : nullptr;
}

}  // namespace lethe::cuda
