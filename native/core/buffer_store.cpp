#include "core/buffer_store.h"

#include <atomic>
#include <string>

#include "lethe/error.h"

namespace lethe {
namespace {

// One counter for all stores: devices cache what they derive from (buffer, version) across stores.
std::atomic<uint64_t> last_id{0};

// One place is enough for each device; a null one is free.
std::array<std::atomic<ReleaseObserver>, num_devices> observers{};

void notify(uint64_t id) {
  for (const auto& observer : observers)
    if (const ReleaseObserver observe = observer.load()) observe(id);
}

}  // namespace

void observe_releases(ReleaseObserver observer) {
  for (auto& place : observers) {
    ReleaseObserver free = nullptr;
    if (place.compare_exchange_strong(free, observer) || free == observer) return;
  }
  throw Error(Code::internal, "observe_releases", "more observers than devices");
}

Device& device_at(int index) {
  switch (index) {
    case static_cast<int>(DeviceId::reference):
      return reference_device();
    case static_cast<int>(DeviceId::cpu):
      return cpu_device();
    case static_cast<int>(DeviceId::cuda):
      return cuda_device();
    default:
      throw Error(Code::invalid_argument, "device",
                  "expected 0 (reference), 1 (cpu) or 2 (cuda), received " + std::to_string(index));
  }
}

BufferStore::~BufferStore() {
  for (auto& [id, buffer] : buffers_) {
    notify(id);
    buffer.pool->release(buffer.data, buffer.bytes);
  }
}

CachingPool& BufferStore::pool(int device) {
  Memory& memory = device_at(device).memory();
  auto& pool = pools_[static_cast<size_t>(device)];
  if (!pool) pool = std::make_unique<CachingPool>(memory);
  return *pool;
}

void BufferStore::empty_cache(int device) {
  pool(device).empty_cache();
  notify(0);
}

uint64_t BufferStore::allocate(int device, size_t bytes, bool bf16) {
  if (bf16 && !device_at(device).stores_bf16())
    throw Error(Code::not_available, "alloc", std::string("device ") + device_at(device).name() + " stores fp32 only");
  CachingPool& from = pool(device);
  const uint64_t id = ++last_id;
  buffers_.emplace(id, Buffer{from.allocate(bytes), bytes, 1, &from, bf16});
  return id;
}

void BufferStore::release(uint64_t id) {
  Buffer& buffer = find(id, "release", "buffer");
  notify(id);
  buffer.pool->release(buffer.data, buffer.bytes);
  buffers_.erase(id);
}

void BufferStore::write(uint64_t id, size_t offset, const void* host, size_t bytes) {
  Buffer& buffer = find(id, "write", "buffer");
  check_range(buffer, "write", offset, bytes);
  ++buffer.version;
  if (bytes) buffer.pool->memory().write(static_cast<char*>(buffer.data) + offset, host, bytes);
}

void BufferStore::read(uint64_t id, size_t offset, void* host, size_t bytes) {
  Buffer& buffer = find(id, "read", "buffer");
  check_range(buffer, "read", offset, bytes);
  if (bytes) buffer.pool->memory().read(host, static_cast<char*>(buffer.data) + offset, bytes);
}

Tensor BufferStore::tensor(uint64_t id, Device& device, bool writes, const char* op, const char* name) {
  Buffer& buffer = find(id, op, name);
  if (&buffer.pool->memory() != &device.memory())
    throw Error(
        Code::invalid_argument, op,
        std::string(name) + ": buffer " + std::to_string(id) + " is not in the memory of device " + device.name());
  if (writes) ++buffer.version;
  if (buffer.bf16 && !device.stores_bf16())
    throw Error(Code::invalid_argument, op, std::string(name) + ": device " + device.name() + " stores fp32 only");
  return {buffer.data, buffer.bytes, id, buffer.version, buffer.bf16};
}

BufferStore::Buffer& BufferStore::find(uint64_t id, const char* op, const char* name) {
  const auto found = buffers_.find(id);
  if (found != buffers_.end()) return found->second;
  const char* why = id != 0 && id <= last_id ? " was released, or belongs to another thread" : " does not exist";
  throw Error(Code::invalid_argument, op, std::string(name) + ": buffer " + std::to_string(id) + why);
}

void BufferStore::check_range(const Buffer& buffer, const char* op, size_t offset, size_t bytes) const {
  if (offset <= buffer.bytes && bytes <= buffer.bytes - offset) return;
  throw Error(Code::invalid_argument, op,
              "bytes " + std::to_string(offset) + " to " + std::to_string(offset + bytes) + " leave the buffer's " +
                  std::to_string(buffer.bytes));
}

}  // namespace lethe
