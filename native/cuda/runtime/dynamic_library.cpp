#include "cuda/runtime/dynamic_library.h"

#include <dlfcn.h>

#include <cstdlib>

#include "lethe/error.h"

namespace lethe::cuda {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

std::vector<std::string> places(const std::string& given, const std::vector<std::string>& names) {
  std::vector<std::string> result;
  if (!given.empty()) result.push_back(given);
  for (const std::string& folder : {given, std::string(), environment("CUDA_HOME") + "/lib64",
                                    environment("CUDA_PATH") + "/lib64", std::string("/usr/local/cuda/lib64")})
    for (const std::string& name : names) result.push_back(folder.empty() ? name : folder + "/" + name);
  return result;
}

}  // namespace

DynamicLibrary::DynamicLibrary(const char* what, const char* variable, const std::vector<std::string>& names)
    : what_(what) {
  std::string reason;
  for (const std::string& place : places(environment(variable), names)) {
    handle_ = dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle_) {
      path_ = place;
      return;
    }
    if (reason.empty()) reason = dlerror();
  }
  throw Error(Code::not_available, "cuda",
              std::string(what) + " was not found (" + reason +
                  "); install it with the CUDA toolkit or NVIDIA's wheel, and set " + variable +
                  " to its file or folder");
}

DynamicLibrary::~DynamicLibrary() {
  if (handle_) dlclose(handle_);
}

void* DynamicLibrary::symbol(const char* name) const {
  if (void* found = dlsym(handle_, name)) return found;
  throw Error(Code::not_available, "cuda", std::string(what_) + " at " + path_ + " has no " + name + ": it is too old");
}

}  // namespace lethe::cuda
