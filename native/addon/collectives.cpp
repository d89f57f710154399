// Collectives for JavaScript: promises that the queue's thread settles.
#include <atomic>
#include <memory>
#include <string>
#include <utility>

#include "addon/boundary.h"
#include "collectives/queue.h"

namespace lethe::addon {
namespace {

using collectives::Call;
using collectives::Kind;
using collectives::Queue;
using collectives::Type;

// One job in a process, opened by its main thread and left with it.
struct Job {
  std::unique_ptr<Queue> queue;
  napi_env owner = nullptr;
  napi_threadsafe_function settle = nullptr;
  int waiting = 0;
};
Job& job() {
  static Job& one = *new Job;
  return one;
}

Queue& queue(napi_env env, const char* op) {
  if (!job().queue || job().owner != env)
    throw Error(Code::invalid_argument, op, "this thread has opened no collectives");
  return *job().queue;
}

struct Pending {
  napi_deferred promise;
  napi_ref kept;  // the array that the call works on
  std::string error;
};

// On JavaScript's thread; without an environment where the process ends.
void settle(napi_env env, napi_value, void*, void* data) {
  const std::unique_ptr<Pending> pending(static_cast<Pending*>(data));
  if (!env) return;
  if (--job().waiting == 0) napi_unref_threadsafe_function(env, job().settle);
  if (pending->kept) napi_delete_reference(env, pending->kept);
  napi_value value = nullptr, text = nullptr, code = nullptr;
  if (pending->error.empty()) {
    napi_get_undefined(env, &value);
    napi_resolve_deferred(env, pending->promise, value);
    return;
  }
  napi_create_string_utf8(env, pending->error.c_str(), NAPI_AUTO_LENGTH, &text);
  napi_create_string_utf8(env, code_name(Code::internal), NAPI_AUTO_LENGTH, &code);
  napi_create_error(env, code, text, &value);
  napi_reject_deferred(env, pending->promise, value);
}

double positive(const Napi::CallbackInfo& info, size_t position, const char* op) {
  const double value = number(info.Env(), info[position], op, position);
  if (!(value > 0)) throw Error(Code::invalid_argument, op, "expected seconds above 0");
  return value;
}

Napi::Value open(const Napi::CallbackInfo& info) {
  const napi_env env = info.Env();
  const std::string transport = info[0].ToString();
  if (transport != "mpi" && transport != "none")
    throw Error(Code::invalid_argument, "openCollectives", "expected mpi or none, received " + transport);
  if (job().queue) throw Error(Code::invalid_argument, "openCollectives", "this process is part of a job already");
  const collectives::Limits limits{positive(info, 1, "openCollectives"), positive(info, 2, "openCollectives")};
  napi_value name = nullptr;
  napi_create_string_utf8(env, "lethe collectives", NAPI_AUTO_LENGTH, &name);
  if (!job().settle) {
    if (napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, nullptr, settle,
                                        &job().settle) != napi_ok)
      throw Error(Code::internal, "openCollectives", "cannot make a queue to JavaScript");
    napi_unref_threadsafe_function(env, job().settle);
  }
  job().queue = std::make_unique<Queue>(transport == "mpi" ? collectives::open_nccl : collectives::open_none, limits);
  job().owner = env;
  const Queue& opened = *job().queue;
  auto places = Napi::Array::New(env);
  for (const collectives::Place& place : opened.places()) {
    auto entry = Napi::Object::New(env);
    entry.Set("host", std::string(place.host));
    entry.Set("pid", static_cast<double>(place.pid));
    places.Set(places.Length(), entry);
  }
  auto result = Napi::Object::New(env);
  result.Set("rank", opened.rank());
  result.Set("size", opened.size());
  result.Set("library", opened.library());
  result.Set("places", places);
  return result;
}

Kind kind_at(const Napi::CallbackInfo& info, size_t position, const char* op) {
  const uint64_t kind = whole(info, position, op);
  if (kind > static_cast<uint64_t>(Kind::barrier))
    throw Error(Code::invalid_argument, op, "expected a kind from 0 to 4, received " + std::to_string(kind));
  return static_cast<Kind>(kind);
}

// Elements that the buffer of a call must hold.
int64_t extent(const Call& call, int ranks) {
  const bool is_divided = call.kind == Kind::reduce_scatter || call.kind == Kind::all_gather;
  return call.count * (is_divided ? ranks : 1);
}

void check_extent(napi_env env, const Call& call, int64_t bytes, const char* op) {
  const int64_t expected = extent(call, queue(env, op).size()) * collectives::size_of(call.type);
  if (call.kind != Kind::barrier && expected > bytes)
    throw Error(Code::invalid_argument, op,
                "expected at least " + std::to_string(expected) + " bytes, the buffer has " + std::to_string(bytes));
  if (call.root < 0 || call.root >= queue(env, op).size())
    throw Error(Code::invalid_argument, op, "no rank " + std::to_string(call.root));
}

Napi::Value submit(const Napi::CallbackInfo& info, const Call& call, napi_ref kept, const char* op) {
  const napi_env env = info.Env();
  auto pending = std::make_unique<Pending>();
  pending->kept = kept;
  napi_value promise = nullptr;
  if (napi_create_promise(env, &pending->promise, &promise) != napi_ok)
    throw Error(Code::internal, op, "cannot make a promise");
  queue(env, op).submit(call, [raw = pending.get()](const std::string& error) {
    raw->error = error;
    napi_call_threadsafe_function(job().settle, raw, napi_tsfn_nonblocking);
  });
  (void)pending.release();
  if (job().waiting++ == 0) napi_ref_threadsafe_function(env, job().settle);
  return Napi::Value(env, promise);
}

// collectiveOnBuffer(kind, device, buffer, first element, count, root)
Napi::Value on_buffer(const Napi::CallbackInfo& info) {
  constexpr const char* op = "collectiveOnBuffer";
  const uint64_t device = whole(info, 1, op);
  const Tensor tensor =
      instance(info.Env()).store.tensor(whole(info, 2, op), device_at(static_cast<int>(device)), true, op, "buffer");
  Call call{kind_at(info, 0, op),
            tensor.bf16 ? Type::bf16 : Type::f32,
            tensor.data,
            static_cast<int64_t>(whole(info, 4, op)),
            static_cast<int>(whole(info, 5, op)),
            device == static_cast<uint64_t>(DeviceId::cuda),
            collectives::Lane::tensors};
  const int64_t skipped = static_cast<int64_t>(whole(info, 3, op)) * collectives::size_of(call.type);
  check_extent(info.Env(), call, static_cast<int64_t>(tensor.bytes) - skipped, op);
  call.data = static_cast<char*>(tensor.data) + skipped;
  return submit(info, call, nullptr, op);
}

// collectivesWait(device, buffer): for the calls that work on the buffer.
Napi::Value wait(const Napi::CallbackInfo& info) {
  constexpr const char* op = "collectivesWait";
  const Tensor tensor =
      instance(info.Env())
          .store.tensor(whole(info, 1, op), device_at(static_cast<int>(whole(info, 0, op))), false, op, "buffer");
  queue(info.Env(), op).wait(tensor.data, static_cast<int64_t>(tensor.bytes));
  return info.Env().Undefined();
}

Type type_of(const Napi::CallbackInfo& info, size_t position, const char* op) {
  switch (info[position].As<Napi::TypedArray>().TypedArrayType()) {
    case napi_float32_array:
      return Type::f32;
    case napi_float64_array:
      return Type::f64;
    case napi_uint16_array:
      return Type::bf16;
    case napi_uint8_array:
      return Type::bytes;
    default:
      throw Error(Code::invalid_argument, op, "expected floats, doubles, bf16 as Uint16Array, or bytes");
  }
}

// collectiveOnArray(kind, array, count, root)
Napi::Value on_array(const Napi::CallbackInfo& info) {
  constexpr const char* op = "collectiveOnArray";
  const Bytes host = typed_array(info, 1, op);
  const Call call{kind_at(info, 0, op), type_of(info, 1, op), host.data, static_cast<int64_t>(whole(info, 2, op)),
                  static_cast<int>(whole(info, 3, op))};
  check_extent(info.Env(), call, static_cast<int64_t>(host.count), op);
  if (call.type == Type::bytes && (call.kind == Kind::all_reduce || call.kind == Kind::reduce_scatter))
    throw Error(Code::invalid_argument, op, "bytes have no sum");
  napi_ref kept = nullptr;
  napi_create_reference(info.Env(), info[1], 1, &kept);
  return submit(info, call, kept, op);
}

Napi::Value at(const Napi::CallbackInfo& info) {
  queue(info.Env(), "collectivesAt").at(info[0].ToString());
  return info.Env().Undefined();
}

Napi::Value close(const Napi::CallbackInfo& info) {
  job().queue.reset();
  return info.Env().Undefined();
}

Napi::Value abort(const Napi::CallbackInfo& info) { queue(info.Env(), "abortCollectives").abort(); }

}  // namespace

void add_collectives(Napi::Env env, Napi::Object exports) {
  add(env, exports, "openCollectives", entry<open>);
  add(env, exports, "collectiveOnBuffer", entry<on_buffer>);
  add(env, exports, "collectiveOnArray", entry<on_array>);
  add(env, exports, "collectivesWait", entry<wait>);
  add(env, exports, "collectivesAt", entry<at>);
  add(env, exports, "closeCollectives", entry<close>);
  add(env, exports, "abortCollectives", entry<abort>);
}

}  // namespace lethe::addon
