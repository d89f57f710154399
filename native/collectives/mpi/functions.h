// What Lethe calls of MPI, without its header: Open MPI's handles are pointers, MPICH's are ints, and the same program
// is to run on either. The names are the standard's, the signatures too; `Handle` is a communicator, type, operation,
// request or error handler.
#pragma once

namespace lethe::collectives::mpi {

using Combine = void(void* in, void* inout, int* length, void* type);  // MPI_User_function

template <class Handle>
struct Functions {
  int (*init)(int*, char***, int required, int* provided);
  int (*finalize)();
  int (*abort)(Handle, int code);
  int (*error_string)(int code, char* text, int* length);
  int (*set_errhandler)(Handle communicator, Handle handler);
  int (*rank)(Handle, int*);
  int (*size)(Handle, int*);
  int (*duplicate)(Handle, Handle*);
  int (*make_operation)(Combine*, int commutes, Handle*);
  int (*gather_all)(const void*, int, Handle, void*, int, Handle, Handle communicator);
  int (*all_reduce)(const void*, void*, int, Handle type, Handle operation, Handle communicator, Handle* request);
  int (*all_to_all)(const void*, const int* counts, const int* places, Handle, void*, const int*, const int*, Handle,
                    Handle communicator, Handle* request);
  int (*all_gather)(const void*, int, Handle, void*, const int* counts, const int* places, Handle, Handle communicator,
                    Handle* request);
  int (*broadcast)(void*, int, Handle type, int root, Handle communicator, Handle* request);
  int (*barrier)(Handle communicator, Handle* request);
  int (*send)(const void*, int, Handle type, int to, int tag, Handle communicator, Handle* request);
  int (*receive)(void*, int, Handle type, int from, int tag, Handle communicator, Handle* request);
  int (*test)(Handle* request, int* done, void* status);
  int (*cancel)(Handle* request);
  int (*forget)(Handle* request);
};

template <class Handle>
struct Constants {
  Handle world, errors_return, f32, f64, u16, byte, sum;
  void* in_place;
  void* no_status;
};

}  // namespace lethe::collectives::mpi
