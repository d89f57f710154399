#include "collectives/mpi/library.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "lethe/error.h"

namespace lethe::collectives::mpi {
namespace {

[[noreturn]] void refuse(const std::string& text) { throw Error(Code::not_available, "mpi", text); }

// The library of the launcher that started this process: each knows its own processes only.
std::vector<std::string> names() {
  if (const char* given = std::getenv("LETHE_MPI")) return {given};
  const std::vector<std::string> open_mpi = {"libmpi.so.40", "libmpi.so"}, mpich = {"libmpi.so.12", "libmpich.so.12"};
  if (std::getenv("OMPI_COMM_WORLD_SIZE")) return open_mpi;
  if (std::getenv("PMI_SIZE")) return mpich;
  std::vector<std::string> both = open_mpi;
  both.insert(both.end(), mpich.begin(), mpich.end());
  return both;
}

bool begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }

// UCX, below MPICH and Open MPI, may rewrite mmap and its kind in place while V8's threads run them: of 288 jobs of two
// ranks 8 ended in a segmentation fault, of 504 without it none; and by relocation they came to a halt.
void leave_memory_functions_alone() { setenv("UCX_MEM_MMAP_HOOK_MODE", "none", /*overwrite=*/0); }

}  // namespace

Library::Library() {
  leave_memory_functions_alone();
  std::string reason;
  for (const std::string& name : names()) {
    // Global: Open MPI's plug-ins look for its symbols there.
    file_ = dlopen(name.c_str(), RTLD_NOW | RTLD_GLOBAL);
    if (file_) {
      path_ = name;
      break;
    }
    if (reason.empty()) reason = dlerror();
  }
  if (!file_)
    refuse("a launcher of MPI started this process, and its library was not found (" + reason +
           "); install it (Debian: apt-get install openmpi-bin), or set LETHE_MPI to its file");
  int (*tell)(char*, int*) = nullptr;
  find(tell, "MPI_Get_library_version");
  std::vector<char> text(8193);  // MPICH's MPI_MAX_LIBRARY_VERSION_STRING, Open MPI's is 256
  int length = 0;
  tell(text.data(), &length);
  version_ = std::string(text.data());
  version_ = version_.substr(0, version_.find_first_of(",\n"));
  for (char& c : version_)
    if (c == '\t') c = ' ';
  if (begins(version_, "Open MPI"))
    family_ = Family::open_mpi;
  else if (begins(version_, "MPICH") || begins(version_, "Intel(R) MPI") || begins(version_, "MVAPICH"))
    family_ = Family::mpich;
  else
    refuse(
        path_ + " is '" + version_ +
        "'; expected Open MPI, or one with MPICH's binary interface (MPICH, Intel MPI, MVAPICH): set LETHE_MPI to its "
        "file");
}

void* Library::symbol(const char* name) const {
  if (void* found = dlsym(file_, name)) return found;
  refuse(path_ + " has no " + name + ": expected a library of MPI 3.1 or newer");
}

template <class Handle>
Functions<Handle> Library::functions() const {
  Functions<Handle> f;
  find(f.init, "MPI_Init_thread");
  find(f.finalize, "MPI_Finalize");
  find(f.abort, "MPI_Abort");
  find(f.error_string, "MPI_Error_string");
  find(f.set_errhandler, "MPI_Comm_set_errhandler");
  find(f.rank, "MPI_Comm_rank");
  find(f.size, "MPI_Comm_size");
  find(f.duplicate, "MPI_Comm_dup");
  find(f.make_operation, "MPI_Op_create");
  find(f.gather_all, "MPI_Allgather");
  find(f.all_reduce, "MPI_Iallreduce");
  find(f.all_to_all, "MPI_Ialltoallv");
  find(f.all_gather, "MPI_Iallgatherv");
  find(f.broadcast, "MPI_Ibcast");
  find(f.barrier, "MPI_Ibarrier");
  find(f.send, "MPI_Isend");
  find(f.receive, "MPI_Irecv");
  find(f.test, "MPI_Test");
  find(f.cancel, "MPI_Cancel");
  find(f.forget, "MPI_Request_free");
  return f;
}

template Functions<void*> Library::functions<void*>() const;
template Functions<int> Library::functions<int>() const;

// mpi.h of Open MPI: handles are the addresses of its objects.
Constants<void*> Library::open_mpi_constants() const {
  return {symbol("ompi_mpi_comm_world"), symbol("ompi_mpi_errors_return"),     symbol("ompi_mpi_float"),
          symbol("ompi_mpi_double"),     symbol("ompi_mpi_uint16_t"),          symbol("ompi_mpi_byte"),
          symbol("ompi_mpi_op_sum"),     reinterpret_cast<void*>(intptr_t{1}), nullptr};
}

// mpi.h of MPICH, the same in all libraries of its binary interface.
Constants<int> Library::mpich_constants() {
  return {0x44000000,
          0x54000001,
          0x4c00040a,
          0x4c00080b,
          0x4c00023c,
          0x4c00010d,
          0x58000003,
          reinterpret_cast<void*>(intptr_t{-1}),
          reinterpret_cast<void*>(intptr_t{1})};
}

}  // namespace lethe::collectives::mpi
