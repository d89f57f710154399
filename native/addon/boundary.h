// How JavaScript calls become calls of the library: arguments, errors, entries of the addon.
#pragma once
#include <napi.h>

#include <new>
#include <string>

#include "core/buffer_store.h"
#include "lethe/error.h"

namespace lethe::addon {

struct Instance {
  lethe::BufferStore store;
};

inline const char* code_name(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::out_of_memory:
      return "out_of_memory";
    case Code::not_available:
      return "not_available";
    case Code::internal:
      break;
  }
  return "internal";
}

inline void throw_js(napi_env env, Code code, const char* text) { napi_throw_error(env, code_name(code), text); }

// Runs `body` and turns what it throws into a JavaScript error; returns nullptr then.
template <class Body>
napi_value guarded(napi_env env, Body body) {
  try {
    return body();
  } catch (const Error& error) {
    throw_js(env, error.code, error.what());
  } catch (const Napi::Error& error) {
    error.ThrowAsJavaScriptException();
  } catch (const std::bad_alloc&) {
    throw_js(env, Code::out_of_memory, "the host has no memory left");
  } catch (const std::exception& error) {
    throw_js(env, Code::internal, error.what());
  }
  return nullptr;
}

inline Instance& instance(napi_env env) { return *Napi::Env(env).GetInstanceData<Instance>(); }

inline double number(napi_env env, napi_value value, const char* op, size_t position) {
  double result = 0;
  if (napi_get_value_double(env, value, &result) == napi_ok) return result;
  bool flag = false;
  if (napi_get_value_bool(env, value, &flag) == napi_ok) return flag ? 1 : 0;
  throw Error(Code::invalid_argument, op, "argument " + std::to_string(position) + ": expected a number");
}

// A non-negative integer: a size, an offset or a buffer id.
inline uint64_t whole(const Napi::CallbackInfo& info, size_t position, const char* op) {
  const double value = number(info.Env(), info[position], op, position);
  if (!(value >= 0 && value <= 9007199254740992.0) || value != static_cast<double>(static_cast<uint64_t>(value)))
    throw Error(
        Code::invalid_argument, op,
        "argument " + std::to_string(position) + ": expected an integer >= 0, received " + std::to_string(value));
  return static_cast<uint64_t>(value);
}

inline int device_index(const Napi::CallbackInfo& info, const char* op) {
  const uint64_t index = whole(info, 0, op);
  return index < lethe::num_devices ? static_cast<int>(index) : -1;
}

struct Bytes {
  char* data;
  size_t count;
};

inline Bytes typed_array(const Napi::CallbackInfo& info, size_t position, const char* op) {
  if (!info[position].IsTypedArray())
    throw Error(Code::invalid_argument, op, "argument " + std::to_string(position) + ": expected a typed array");
  const auto array = info[position].As<Napi::TypedArray>();
  return {static_cast<char*>(array.ArrayBuffer().Data()) + array.ByteOffset(), array.ByteLength()};
}

using Function = Napi::Value (*)(const Napi::CallbackInfo&);

template <Function function>
napi_value entry(napi_env env, napi_callback_info raw) {
  return guarded(env, [&]() -> napi_value {
    const Napi::CallbackInfo info(env, raw);
    return function(info);
  });
}

inline void add(napi_env env, Napi::Object exports, const char* name, napi_callback callback) {
  napi_value function;
  if (napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, nullptr, &function) == napi_ok)
    exports.Set(name, Napi::Value(env, function));
}

// The functions of collectives.cpp.
void add_collectives(Napi::Env env, Napi::Object exports);

}  // namespace lethe::addon
