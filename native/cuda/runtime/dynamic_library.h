// A shared library that is opened at run time, because it need not be there.
#pragma once
#include <string>
#include <vector>

namespace lethe::cuda {

class DynamicLibrary {
 public:
  // Tries the file or folder that the environment variable names, the dynamic linker's paths, then CUDA's usual
  // places. Throws Error{not_available} that says what was looked for and which variable helps.
  DynamicLibrary(const char* what, const char* variable, const std::vector<std::string>& names);
  ~DynamicLibrary();
  DynamicLibrary(const DynamicLibrary&) = delete;
  DynamicLibrary& operator=(const DynamicLibrary&) = delete;

  template <class Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(symbol(name));
  }
  const std::string& path() const { return path_; }

 private:
  void* symbol(const char* name) const;
  const char* what_;
  void* handle_ = nullptr;
  std::string path_;
};

}  // namespace lethe::cuda
