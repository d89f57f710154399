// The C interface of lethe/cuda.h: one mutex, errors as codes, operators by their position in the table.
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "core/check.h"
#include "cuda/kernels/operators.h"
#include "cuda/runtime/abi.h"
#include "cuda/runtime/context.h"
#include "cuda/runtime/cublaslt.h"
#include "cuda/runtime/nccl.h"
#include "lethe/cuda.h"

using lethe::Code;
using lethe::Error;
using lethe::Tensor;
using lethe::cuda::Context;

struct lethe_cuda {
  explicit lethe_cuda(int ordinal) : context(ordinal) {}
  Context context;
  std::unique_ptr<lethe::cuda::Collective> collective;
};

namespace {

thread_local std::string last_error;

// Work of several threads is queued one call at a time.
std::mutex& lock() {
  static std::mutex mutex;
  return mutex;
}

std::map<int, std::unique_ptr<lethe_cuda>>& devices() {
  static auto* all = new std::map<int, std::unique_ptr<lethe_cuda>>;  // outlives every thread's buffers
  return *all;
}

// Runs `body`; what it throws becomes a code, and lethe_cuda_error().
template <class Body>
int caught(const Body& body) {
  try {
    body();
    return 0;
  } catch (const Error& error) {
    last_error = error.what();
    return 1 + static_cast<int>(error.code);
  } catch (const std::bad_alloc&) {
    last_error = "the host has no memory left";
    return 1 + static_cast<int>(Code::out_of_memory);
  } catch (const std::exception& error) {
    last_error = error.what();
    return 1 + static_cast<int>(Code::internal);
  }
}

template <class Body>
int guarded(const Body& body) {
  return caught([&] {
    const std::lock_guard<std::mutex> guard(lock());
    body();
  });
}

// As `guarded`, with the device made current for this thread.
template <class Body>
int on(lethe_cuda* device, Body body) {
  return guarded([&] {
    cudaSetDevice(device->context.ordinal());
    body(device->context);
  });
}

// What a kernel is about to write is no longer what the host wrote.
template <class Args>
void note_writes(Context&, const Args&) {}
#define LETHE_IGNORE(name)
#define LETHE_NOTE(kind, dtype, name, shape) \
  if (lethe::is_written(lethe::Access::kind) && a.name) context.host_copies().changed(a.name.data, a.name.bytes);
#define LETHE_NOTE_WRITES(stem)                                                                           \
  template <>                                                                                             \
  void note_writes<lethe::stem##_args>([[maybe_unused]] Context & context, const lethe::stem##_args& a) { \
    LETHE_FIELDS_##stem(LETHE_IGNORE, LETHE_NOTE, LETHE_IGNORE, LETHE_IGNORE, LETHE_IGNORE)               \
  }
LETHE_OPERATORS(LETHE_NOTE_WRITES)

template <class Args>
void run(Context& context, const Args& a, void (*function)(Context&, const Args&)) {
  note_writes(context, a);
  function(context, a);
}

#define LETHE_CALL(stem)                                                                 \
  void call_##stem(Context& context, const void* arguments) {                            \
    run(context, *static_cast<const lethe::stem##_args*>(arguments), lethe::cuda::stem); \
  }
LETHE_OPERATORS(LETHE_CALL)
#define LETHE_ENTRY(stem) call_##stem,
constexpr void (*calls[])(Context&, const void*) = {LETHE_OPERATORS(LETHE_ENTRY)};
constexpr uint32_t num_operators = sizeof(calls) / sizeof(calls[0]);

// Reads the numbers of lethe_cuda_run in the order of the fields.
struct Reader {
  const double* next;
  const lethe_cuda_tensor* tensors;
  uint32_t num_tensors;
  const char* op;

  int64_t integer(const char* name) {
    const double value = *next++;
    if (!(std::fabs(value) <= 9007199254740992.0) || value != std::trunc(value))
      throw Error(Code::invalid_argument, op,
                  std::string(name) + ": expected an integer, received " + std::to_string(value));
    return static_cast<int64_t>(value);
  }
  Tensor tensor(const char* name) {
    const int64_t position = integer(name);
    if (position == 0) return {};
    if (position < 0 || position > num_tensors)
      throw Error(Code::invalid_argument, op,
                  std::string(name) + ": expected a tensor from 1 to " + std::to_string(num_tensors) + ", received " +
                      std::to_string(position));
    const lethe_cuda_tensor& t = tensors[position - 1];
    return {t.data, t.bytes, t.buffer, t.version, t.bf16 != 0};
  }
};

#define LETHE_READ_DIM(name) a.name = reader.integer(#name);
#define LETHE_READ_TENSOR(kind, dtype, name, shape) a.name = reader.tensor(#name);
#define LETHE_READ_REAL(name) a.name = *reader.next++;
#define LETHE_READ_INT(name) a.name = reader.integer(#name);
#define LETHE_READ_FLAG(name) a.name = reader.integer(#name) != 0;
#define LETHE_READ(stem)                                                                                     \
  void read_##stem(Context& context, Reader& reader) {                                                       \
    lethe::stem##_args a;                                                                                    \
    LETHE_FIELDS_##stem(LETHE_READ_DIM, LETHE_READ_TENSOR, LETHE_READ_REAL, LETHE_READ_INT, LETHE_READ_FLAG) \
        lethe::check(a);                                                                                     \
    run(context, a, lethe::cuda::stem);                                                                      \
  }
LETHE_OPERATORS(LETHE_READ)
#define LETHE_READ_ENTRY(stem) read_##stem,
constexpr void (*reads[])(Context&, Reader&) = {LETHE_OPERATORS(LETHE_READ_ENTRY)};

void require_operator(uint32_t index) {
  if (index >= num_operators)
    throw Error(
        Code::invalid_argument, "run",
        "operator: expected an index below " + std::to_string(num_operators) + ", received " + std::to_string(index));
}

void set(Context& context, const std::string& name, const std::string& value) {
  lethe::cuda::Settings& settings = context.settings();
  if (name == "head_logits" && (value == "fp16" || value == "fp32"))
    settings.fp32_logits = value == "fp32";
  else if (name == "gemm" && (value == "cublaslt" || value == "plain"))
    settings.plain_gemm = value == "plain";
  else if (name == "head_bytes" && std::atoll(value.c_str()) > 0)
    settings.head_bytes = std::atoll(value.c_str());
  else if (name == "rows" && (value == "held" || value == "streamed"))
    settings.streamed_rows = value == "streamed";
  else if (name == "row_cluster")
    settings.row_cluster = static_cast<unsigned>(std::atoi(value.c_str()));
  else
    throw Error(Code::invalid_argument, "set", "there is no setting " + name + " = " + value);
}

void describe(Context& context, lethe_cuda_info& info) {
  const cudaDeviceProp& properties = context.properties();
  info = {};
  std::string(properties.name).copy(info.name, sizeof(info.name) - 1);
  info.major = properties.major;
  info.minor = properties.minor;
  info.multiprocessors = properties.multiProcessorCount;
  cudaMemGetInfo(&info.free_bytes, &info.total_bytes);
  info.workspace_bytes = context.workspace().bytes();
  info.kept_bytes = context.copies().bytes();
  info.plain_products = context.plain_products();
  lethe::cuda::cublaslt_path().copy(info.cublaslt, sizeof(info.cublaslt) - 1);
}

lethe::cuda::Collective& collective_of(lethe_cuda* device) {
  if (!device->collective) throw Error(Code::invalid_argument, "collective", "call lethe_cuda_collective_open before");
  return *device->collective;
}

}  // namespace

#define LETHE_EXPORT __attribute__((visibility("default")))

extern "C" {

LETHE_EXPORT uint64_t lethe_cuda_abi(void) { return lethe::cuda::abi_number(); }
LETHE_EXPORT const char* lethe_cuda_error(void) { return last_error.c_str(); }
LETHE_EXPORT void lethe_cuda_close(lethe_cuda* device) {
  on(device, [&](Context& context) {
    const int ordinal = context.ordinal();
    const cudaStream_t stream = context.stream();
    devices().erase(ordinal);
    lethe::cuda::give_back_memory(ordinal, stream);
  });
}

LETHE_EXPORT int lethe_cuda_open(int32_t ordinal, lethe_cuda** device) {
  return guarded([&] {
    auto& place = devices()[ordinal];
    if (!place) place = std::make_unique<lethe_cuda>(ordinal);
    *device = place.get();
  });
}

LETHE_EXPORT int lethe_cuda_describe(lethe_cuda* device, lethe_cuda_info* info) {
  return on(device, [&](Context& context) { describe(context, *info); });
}
LETHE_EXPORT int lethe_cuda_set(lethe_cuda* device, const char* name, const char* value) {
  return on(device, [&](Context& context) { set(context, name, value); });
}
LETHE_EXPORT int lethe_cuda_alloc(lethe_cuda* device, size_t bytes, void** data) {
  return on(device, [&](Context& context) { *data = context.allocate(bytes); });
}
LETHE_EXPORT int lethe_cuda_free(lethe_cuda* device, void* data) {
  return on(device, [&](Context& context) { context.release(data); });
}
LETHE_EXPORT int lethe_cuda_write(lethe_cuda* device, void* to, const void* host, size_t bytes) {
  return on(device, [&](Context& context) { context.write(to, host, bytes); });
}
LETHE_EXPORT int lethe_cuda_read(lethe_cuda* device, void* host, const void* from, size_t bytes) {
  return on(device, [&](Context& context) { context.read(host, from, bytes); });
}
LETHE_EXPORT int lethe_cuda_synchronize(lethe_cuda* device) {
  return on(device, [](Context& context) { context.synchronize(); });
}
LETHE_EXPORT int lethe_cuda_forget(lethe_cuda* device, uint64_t buffer) {
  return on(device, [&](Context& context) { context.copies().forget(buffer); });
}

LETHE_EXPORT int lethe_cuda_run(lethe_cuda* device, uint32_t operator_index, const double* numbers,
                                uint32_t num_numbers, const lethe_cuda_tensor* tensors, uint32_t num_tensors) {
  return on(device, [&](Context& context) {
    require_operator(operator_index);
    const lethe::Operator& op = lethe::operators()[operator_index];
    if (num_numbers != op.fields.size())
      throw Error(
          Code::invalid_argument, op.name,
          "expected " + std::to_string(op.fields.size()) + " arguments, received " + std::to_string(num_numbers));
    Reader reader{numbers, tensors, num_tensors, op.name};
    reads[operator_index](context, reader);
  });
}

LETHE_EXPORT int lethe_cuda_call(lethe_cuda* device, uint32_t operator_index, const void* arguments) {
  return on(device, [&](Context& context) {
    require_operator(operator_index);
    calls[operator_index](context, arguments);
  });
}

LETHE_EXPORT int32_t lethe_cuda_operator(const char* name) {
  const auto table = lethe::operators();
  for (size_t i = 0; i < table.size(); ++i)
    if (std::string(table[i].name) == name) return static_cast<int32_t>(i);
  return -1;
}

LETHE_EXPORT void* lethe_cuda_stream(lethe_cuda* device) { return device->context.stream(); }

LETHE_EXPORT int lethe_cuda_capture_begin(lethe_cuda* device) {
  return on(device, [](Context& context) { context.begin_capture(); });
}
LETHE_EXPORT int lethe_cuda_capture_end(lethe_cuda* device, void** graph) {
  return on(device, [&](Context& context) { *graph = context.end_capture(); });
}
LETHE_EXPORT int lethe_cuda_graph_launch(lethe_cuda* device, void* graph) {
  return on(device, [&](Context& context) { context.launch_graph(graph); });
}
LETHE_EXPORT int lethe_cuda_graph_free(lethe_cuda* device, void* graph) {
  return on(device, [&](Context& context) { context.destroy_graph(graph); });
}

LETHE_EXPORT int lethe_cuda_collective_id(unsigned char* id) {
  return caught([&] { lethe::cuda::new_collective_id(id); });
}
LETHE_EXPORT int lethe_cuda_collective_open(lethe_cuda* device, const unsigned char* id, int32_t rank, int32_t ranks) {
  return caught([&] {
    cudaSetDevice(device->context.ordinal());
    // Without the lock: this waits for the other ranks, which may be threads of this process.
    auto opened = std::make_unique<lethe::cuda::Collective>(device->context.stream(), id, rank, ranks);
    const std::lock_guard<std::mutex> guard(lock());
    device->collective = std::move(opened);
  });
}
LETHE_EXPORT int lethe_cuda_all_reduce(lethe_cuda* device, void* data, int64_t count, int32_t bf16) {
  return on(device, [&](Context&) { collective_of(device).all_reduce(data, count, bf16 != 0); });
}
LETHE_EXPORT int lethe_cuda_broadcast(lethe_cuda* device, void* data, int64_t count, int32_t bf16, int32_t root) {
  return on(device, [&](Context&) { collective_of(device).broadcast(data, count, bf16 != 0, root); });
}
LETHE_EXPORT int lethe_cuda_reduce_scatter(lethe_cuda* device, void* data, int64_t count, int32_t bf16) {
  return on(device, [&](Context&) { collective_of(device).reduce_scatter(data, count, bf16 != 0); });
}
LETHE_EXPORT int lethe_cuda_all_gather(lethe_cuda* device, void* data, int64_t count, int32_t bf16) {
  return on(device, [&](Context&) { collective_of(device).all_gather(data, count, bf16 != 0); });
}
LETHE_EXPORT int lethe_cuda_collective_done(lethe_cuda* device, int32_t* done) {
  return on(device, [&](Context&) { *done = collective_of(device).is_done() ? 1 : 0; });
}

}  // extern "C"
