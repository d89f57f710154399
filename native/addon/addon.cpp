// The Node boundary, with the files beside this one. It walks the operator table; it knows no operator by name.
// Each addon instance (main thread, each worker) has its own store, freed when its environment ends.
#include <array>
#include <string>

#include "addon/boundary.h"
#include "core/call.h"
#include "core/operator_table.h"
#include "cpu/runtime.h"
#include "lethe/error.h"

namespace {

using namespace lethe::addon;
using lethe::Code;
using lethe::Error;

const char* kind_name(lethe::FieldKind kind) {
  static constexpr const char* names[] = {"dim", "tensor", "real", "int", "flag"};
  return names[static_cast<size_t>(kind)];
}

const char* access_name(lethe::Access access) {
  static constexpr const char* names[] = {"in", "in_opt", "out", "out_opt", "acc", "acc_opt", "inout"};
  return names[static_cast<size_t>(access)];
}

const char* dtype_name(lethe::DType dtype) {
  static constexpr const char* names[] = {"f32", "i32", "act", "wgt"};
  return names[static_cast<size_t>(dtype)];
}

Napi::Value operators(const Napi::CallbackInfo& info) {
  auto result = Napi::Array::New(info.Env());
  for (const lethe::Operator& op : lethe::operators()) {
    auto fields = Napi::Array::New(info.Env());
    for (const lethe::Field& field : op.fields) {
      auto entry = Napi::Object::New(info.Env());
      entry.Set("kind", kind_name(field.kind));
      entry.Set("name", field.name);
      if (field.kind == lethe::FieldKind::tensor) {
        entry.Set("access", access_name(field.access));
        entry.Set("dtype", dtype_name(field.dtype));
        entry.Set("shape", field.shape);
      }
      fields.Set(fields.Length(), entry);
    }
    auto entry = Napi::Object::New(info.Env());
    entry.Set("name", op.name);
    entry.Set("fields", fields);
    result.Set(result.Length(), entry);
  }
  return result;
}

Napi::Value alloc(const Napi::CallbackInfo& info) {
  const bool bf16 = info[2].ToBoolean();
  const uint64_t id = instance(info.Env()).store.allocate(device_index(info, "alloc"), whole(info, 1, "alloc"), bf16);
  return Napi::Number::New(info.Env(), static_cast<double>(id));
}

Napi::Value release(const Napi::CallbackInfo& info) {
  instance(info.Env()).store.release(whole(info, 0, "release"));
  return info.Env().Undefined();
}

Napi::Value write(const Napi::CallbackInfo& info) {
  const Bytes host = typed_array(info, 2, "write");
  instance(info.Env()).store.write(whole(info, 0, "write"), whole(info, 1, "write"), host.data, host.count);
  return info.Env().Undefined();
}

Napi::Value read(const Napi::CallbackInfo& info) {
  const Bytes host = typed_array(info, 2, "read");
  instance(info.Env()).store.read(whole(info, 0, "read"), whole(info, 1, "read"), host.data, host.count);
  return info.Env().Undefined();
}

Napi::Value memory(const Napi::CallbackInfo& info) {
  const auto& stats = instance(info.Env()).store.pool(device_index(info, "memory")).stats();
  auto result = Napi::Object::New(info.Env());
  result.Set("live", static_cast<double>(stats.live));
  result.Set("peak", static_cast<double>(stats.peak));
  result.Set("cached", static_cast<double>(stats.cached));
  result.Set("buffers", static_cast<double>(stats.buffers));
  result.Set("allocations", static_cast<double>(stats.allocations));
  return result;
}

Napi::Value reset_peak(const Napi::CallbackInfo& info) {
  instance(info.Env()).store.pool(device_index(info, "resetPeak")).reset_peak();
  return info.Env().Undefined();
}

Napi::Value empty_cache(const Napi::CallbackInfo& info) {
  instance(info.Env()).store.empty_cache(device_index(info, "emptyCache"));
  return info.Env().Undefined();
}

Napi::Value set_num_threads(const Napi::CallbackInfo& info) {
  const uint64_t count = whole(info, 0, "setNumThreads");
  if (count < 1 || count > 4096)
    throw Error(Code::invalid_argument, "setNumThreads",
                "expected 1 to 4096 threads, received " + std::to_string(count));
  lethe::cpu::set_num_threads(static_cast<int>(count));
  return info.Env().Undefined();
}

Napi::Value num_threads(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), lethe::cpu::num_threads());
}

Napi::Value describe(const Napi::CallbackInfo& info) {
  const lethe::cpu::Runtime& runtime = lethe::cpu::runtime();
  auto result = Napi::Object::New(info.Env());
  result.Set("simd", runtime.simd);
  result.Set("bf16", runtime.bf16);
  result.Set("onednn", runtime.onednn);
  std::string cuda = "available";
  try {
    lethe::cuda_device();
  } catch (const Error& error) {
    cuda = error.what();
  }
  result.Set("cuda", cuda);
  return result;
}

// run(device, operator, ...numbers) or run(device, operator, [numbers]). Plain N-API and a fixed array: this is called
// hundreds of times per step.
napi_value run(napi_env env, napi_callback_info info) {
  return guarded(env, [&]() -> napi_value {
    std::array<napi_value, lethe::max_fields + 2> values;
    std::array<double, lethe::max_fields + 2> numbers;
    size_t count = values.size();
    napi_get_cb_info(env, info, &count, values.data(), nullptr, nullptr);
    if (count > values.size()) throw Error(Code::invalid_argument, "run", "too many arguments");
    if (count < 2) throw Error(Code::invalid_argument, "run", "expected a device, an operator and its arguments");
    for (size_t i = 0; i < 2; ++i) numbers[i] = number(env, values[i], "run", i);
    bool is_array = false;
    if (count == 3) napi_is_array(env, values[2], &is_array);
    if (is_array) {
      const napi_value list = values[2];
      uint32_t length = 0;
      napi_get_array_length(env, list, &length);
      if (length > lethe::max_fields) throw Error(Code::invalid_argument, "run", "too many arguments");
      for (uint32_t i = 0; i < length; ++i) napi_get_element(env, list, i, &values[i + 2]);
      count = length + size_t{2};
    }
    for (size_t i = 2; i < count; ++i) numbers[i] = number(env, values[i], "run", i);
    // 1e9 stands for "no such device, no such operator": both callees say what they expected.
    const auto index = [](double x) {
      return x >= 0 && x < 1e9 && x == static_cast<int>(x) ? static_cast<int>(x) : 1000000000;
    };
    lethe::call(lethe::device_at(index(numbers[0])), instance(env).store, static_cast<size_t>(index(numbers[1])),
                {numbers.data() + 2, count - 2});
    return nullptr;
  });
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new Instance);
  add(env, exports, "operators", entry<operators>);
  add(env, exports, "alloc", entry<alloc>);
  add(env, exports, "release", entry<release>);
  add(env, exports, "write", entry<write>);
  add(env, exports, "read", entry<read>);
  add(env, exports, "run", run);
  add(env, exports, "memory", entry<memory>);
  add(env, exports, "resetPeak", entry<reset_peak>);
  add(env, exports, "emptyCache", entry<empty_cache>);
  add(env, exports, "setNumThreads", entry<set_num_threads>);
  add(env, exports, "numThreads", entry<num_threads>);
  add(env, exports, "info", entry<describe>);
  add_collectives(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(lethe, init)
