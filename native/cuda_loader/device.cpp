// Opens liblethe_cuda at run time, so one addon serves machines with and without a GPU: LETHE_CUDA_LIBRARY, or the file
// beside the addon, or where `cmake -B native/build-cuda` puts it.
#include "lethe/device.h"

#include <dlfcn.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "core/buffer_store.h"
#include "cuda_loader/collectives.h"
#include "cuda_loader/cuda_device.h"
#include "lethe/error.h"

namespace lethe {

void forget_cuda_buffer(const Device& device, uint64_t buffer);

namespace {

constexpr const char* file = "liblethe_cuda.so";

std::vector<std::string> places() {
  std::vector<std::string> result;
  if (const char* given = std::getenv("LETHE_CUDA_LIBRARY")) return {given};
  Dl_info self = {};
  if (dladdr(reinterpret_cast<const void*>(&cuda_device), &self) && self.dli_fname) {
    const std::string path = self.dli_fname;
    const size_t slash = path.rfind('/');
    const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash);
    result.push_back(folder + "/" + file);
    result.push_back(folder + "/../../build-cuda/" + file);  // from native/build/Release
    result.push_back(folder + "/../build-cuda/" + file);     // from native/build-release
  }
  return result;
}

void* open_library() {
  std::string reason;
  for (const std::string& place : places()) {
    if (void* library = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
    if (reason.empty() || reason.find("No such file") != std::string::npos) reason = dlerror();
  }
  throw Error(Code::not_available, "cuda",
              std::string("the CUDA library ") + file +
                  " is not there: build it where nvcc is with `cmake -S native/cuda -B native/build-cuda "
                  "&& cmake --build native/build-cuda` (" +
                  reason + ")");
}

template <class Function>
void find(void* library, Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (!function) throw Error(Code::not_available, "cuda", std::string(file) + " has no " + name + ": build it again");
}

CudaFunctions load() {
  void* library = open_library();  // stays open: its threads and memory live as long as the process
  CudaFunctions f;
  find(library, f.abi, "lethe_cuda_abi");
  find(library, f.error, "lethe_cuda_error");
  find(library, f.open, "lethe_cuda_open");
  find(library, f.alloc, "lethe_cuda_alloc");
  find(library, f.free, "lethe_cuda_free");
  find(library, f.write, "lethe_cuda_write");
  find(library, f.read, "lethe_cuda_read");
  find(library, f.forget, "lethe_cuda_forget");
  find(library, f.call, "lethe_cuda_call");
  return f;
}

int ordinal() {
  const char* given = std::getenv("LETHE_CUDA_DEVICE");
  return given ? std::atoi(given) : 0;
}

Device* opened = nullptr;

Device* open_device() {
  // Never destroyed: buffers of other threads may outlive static objects.
  opened = make_cuda_device(load(), ordinal()).release();
  observe_releases([](uint64_t buffer) { forget_cuda_buffer(*opened, buffer); });
  return opened;
}

}  // namespace

Device& cuda_device() {
  static Device& device = *open_device();  // a failure is tried again at the next call
  return device;
}

CudaCollectives cuda_collectives() {
  cuda_device();
  void* library = open_library();  // the same one once more
  CudaCollectives f;
  find(library, f.error, "lethe_cuda_error");
  find(library, f.id, "lethe_cuda_collective_id");
  find(library, f.open, "lethe_cuda_collective_open");
  find(library, f.all_reduce, "lethe_cuda_all_reduce");
  find(library, f.broadcast, "lethe_cuda_broadcast");
  find(library, f.reduce_scatter, "lethe_cuda_reduce_scatter");
  find(library, f.all_gather, "lethe_cuda_all_gather");
  find(library, f.done, "lethe_cuda_collective_done");
  decltype(&lethe_cuda_open) open = nullptr;
  find(library, open, "lethe_cuda_open");
  check_cuda(open(ordinal(), &f.device), f.error());
  return f;
}

}  // namespace lethe
