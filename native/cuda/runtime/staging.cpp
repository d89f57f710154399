#include "cuda/runtime/staging.h"

#include <algorithm>
#include <cstring>

#include "cuda/runtime/status.h"

namespace lethe::cuda {

Staging::Staging(cudaStream_t compute) : compute_(compute) {
  void *pinned = nullptr, *device = nullptr;
  check(cudaMallocHost(&pinned, slot_bytes * num_slots), "staging");
  pinned_ = static_cast<char*>(pinned);
  check(cudaMallocAsync(&device, slot_bytes * num_slots, compute), "staging");
  device_ = static_cast<char*>(device);
  check(cudaStreamCreateWithFlags(&copies_, cudaStreamNonBlocking), "staging");
  for (auto* events : {&arrived_, &consumed_})
    for (cudaEvent_t& event : *events) check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), "staging");
  check(cudaStreamSynchronize(compute), "staging");  // the device half exists before the copies' stream uses it
}

Staging::~Staging() {
  cudaStreamSynchronize(compute_);  // and with it every copy that it waits for
  for (auto* events : {&arrived_, &consumed_})
    for (const cudaEvent_t event : *events) cudaEventDestroy(event);
  cudaStreamDestroy(copies_);
  cudaFreeAsync(device_, compute_);
  cudaFreeHost(pinned_);
}

// Host -> pinned slot -> (copies' stream) the slot's device half -> (compute stream) its place. Only a write that laps
// the ring waits, for the write of num_slots before.
void Staging::write(void* to, const void* host, size_t bytes) {
  for (size_t begin = 0; begin < bytes; begin += slot_bytes) {
    const size_t count = std::min(slot_bytes, bytes - begin), slot = next_;
    next_ = (next_ + 1) % num_slots;
    if (used_ < num_slots)
      ++used_;
    else
      check(cudaEventSynchronize(consumed_[slot]), "write");
    char *pinned = pinned_ + slot * slot_bytes, *device = device_ + slot * slot_bytes;
    std::memcpy(pinned, static_cast<const char*>(host) + begin, count);
    check(cudaMemcpyAsync(device, pinned, count, cudaMemcpyHostToDevice, copies_), "write");
    check(cudaEventRecord(arrived_[slot], copies_), "write");
    check(cudaStreamWaitEvent(compute_, arrived_[slot], 0), "write");
    check(cudaMemcpyAsync(static_cast<char*>(to) + begin, device, count, cudaMemcpyDeviceToDevice, compute_), "write");
    check(cudaEventRecord(consumed_[slot], compute_), "write");
  }
}

// Takes the whole ring: everything written before has been consumed when the compute stream gets here.
void Staging::read(void* host, const void* from, size_t bytes) {
  constexpr size_t most = slot_bytes * num_slots;
  check(cudaStreamSynchronize(compute_), "read");
  for (size_t begin = 0; begin < bytes; begin += most) {
    const size_t count = std::min(most, bytes - begin);
    check(cudaMemcpyAsync(pinned_, static_cast<const char*>(from) + begin, count, cudaMemcpyDeviceToHost, compute_),
          "read");
    check(cudaStreamSynchronize(compute_), "read");
    std::memcpy(static_cast<char*>(host) + begin, pinned_, count);
  }
}

}  // namespace lethe::cuda
