// The MPI library of this machine, opened at run time and recognised by what it says of itself.
#pragma once
#include <string>

#include "collectives/mpi/functions.h"

namespace lethe::collectives::mpi {

enum class Family { open_mpi, mpich };

class Library {
 public:
  // Throws Error{not_available} where there is none, or one of another binary interface.
  Library();
  Family family() const { return family_; }
  const std::string& version() const { return version_; }  // its own first words

  Functions<void*> open_mpi_functions() const { return functions<void*>(); }
  Functions<int> mpich_functions() const { return functions<int>(); }
  Constants<void*> open_mpi_constants() const;
  static Constants<int> mpich_constants();

 private:
  template <class Handle>
  Functions<Handle> functions() const;
  void* symbol(const char* name) const;
  template <class Function>
  void find(Function& function, const char* name) const {
    function = reinterpret_cast<Function>(symbol(name));
  }

  void* file_ = nullptr;  // never closed: its threads live as long as the process
  std::string path_, version_;
  Family family_ = Family::open_mpi;
};

}  // namespace lethe::collectives::mpi
