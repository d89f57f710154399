// What the device keeps between calls, and how it says what is wrong.
#include <gtest/gtest.h>

#include <cstdlib>

#include "core/call.h"
#include "core/operator_table.h"
#include "cuda/runtime/context.h"
#include "fibers.h"
#include "lethe/cuda.h"
#include "lethe/error.h"
#include "tests/case.h"

namespace lethe {
Device& cuda_on_host();
}

namespace lethe::tests {
namespace {

constexpr int device_index = 1;  // cpu_device() is cuda_on_host() here

size_t index_of(const std::string& op) { return static_cast<size_t>(lethe_cuda_operator(op.c_str())); }

struct Store {
  BufferStore buffers;
  uint64_t add(const Floats& values) {
    const uint64_t id = buffers.allocate(device_index, values.size() * 4);
    buffers.write(id, 0, values.data(), values.size() * 4);
    return id;
  }
  uint64_t add(const Ints& values) {
    const uint64_t id = buffers.allocate(device_index, values.size() * 4);
    buffers.write(id, 0, values.data(), values.size() * 4);
    return id;
  }
  uint64_t halves(size_t count) { return buffers.allocate(device_index, count * 2, true); }
  void run(const std::string& op, const std::vector<double>& numbers) {
    call(cuda_on_host(), buffers, index_of(op), numbers);
  }
  Floats read(uint64_t id, size_t count) {
    Floats values(count);
    buffers.read(id, 0, values.data(), count * 4);
    return values;
  }
};

std::string message_of(const std::function<void()>& f) {
  try {
    f();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(KeptCopies, FollowTheirWeights) {
  Store store;
  const uint64_t x32 = store.add(Floats{1, 2}), weight = store.add(Floats{3, 4}), x = store.halves(2),
                 y = store.halves(1), y32 = store.add(Floats{0});
  store.run("convert", {2, double(x32), double(x)});
  const auto product = [&] {
    store.run("linear", {1, 2, 1, double(x), double(weight), 0, double(y)});
    store.run("convert", {1, double(y), double(y32)});
    return store.read(y32, 1)[0];
  };
  EXPECT_EQ(product(), 11);
  const Floats changed{5, 6};
  store.buffers.write(weight, 0, changed.data(), 8);
  EXPECT_EQ(product(), 17);
  // AdamW without moments: param -= lr sign(grad), written to the copy in the same pass.
  const uint64_t grad = store.add(Floats{1, -1}), m = store.add(Floats{0, 0}), v = store.add(Floats{0, 0});
  store.run("adamw", {2, double(weight), double(grad), double(m), double(v), 1, 0, 0, 1e-12, 0, 1, 1});
  EXPECT_EQ(product(), 4 + 2 * 7);
  store.run("fill", {2, double(weight), 2});
  EXPECT_EQ(product(), 6);
}

TEST(Workspace, DoesNotGrowInTheSteadyState) {
  Case test("rms_norm_backward");
  test.set("N", 40).set("D", 24);
  lethe_cuda* device = nullptr;
  cuda_on_host();
  ASSERT_EQ(lethe_cuda_open(0, &device), 0);
  lethe_cuda_info before, after;
  test.run(cuda_on_host());
  lethe_cuda_describe(device, &before);
  for (int i = 0; i < 3; ++i) test.run(cuda_on_host());
  lethe_cuda_describe(device, &after);
  EXPECT_EQ(before.workspace_bytes, after.workspace_bytes);
}

TEST(IndexErrors, AreToldAtTheNextRead) {
  Store store;
  const uint64_t ids = store.add(Ints{1, 9}), weight = store.add(Floats{1, 2, 3}), y = store.add(Floats{0, 0});
  store.run("embedding", {2, 3, 1, double(ids), double(weight), double(y)});
  EXPECT_EQ(message_of([&] { store.read(y, 2); }),
            "[embedding] ids[1]: expected an index in [0, 3), received 9 (found while waiting for the GPU)");
  EXPECT_EQ(message_of([&] { store.read(y, 2); }), "no error");
  const uint64_t position = store.add(Ints{-1}), table = store.add(Floats{1});
  store.run("rope", {1, 1, 1, 1, double(y), double(position), double(table), double(table), double(y), 0});
  EXPECT_NE(message_of([&] { store.read(y, 2); }).find("[rope] positions[0]"), std::string::npos);
}

TEST(Targets, AreCheckedWhereTheHostKnowsThem) {
  Case test("unlearn_head");
  test.set("N", 2).set("M", 0).set("D", 2).set("V", 3).give("targets", Ints{0, 3});
  EXPECT_NE(message_of([&] {
              Case(test).omit("original_hidden").omit("original_weight").run(cuda_on_host());
            }).find("[unlearn_head] targets[1]: expected an index in [-1, 3), received 3"),
            std::string::npos);
}

TEST(Targets, MayBeMadeByTheDevice) {
  Store store;
  const uint64_t from = store.add(Ints{5, 1, -1, 0}), targets = store.add(Ints{0, 0, 0});
  store.run("copy_block", {4, 3, double(from), double(targets), 1, 3, 1, 3, 0, 3});
  const uint64_t hidden = store.add(Floats{1, 2, 3}), weight = store.add(Floats{1, 2}), sums = store.add(Floats(8));
  store.run("unlearn_head",
            {3, 0, 1, 2, double(hidden), double(weight), double(targets), 0, 0, double(sums), 0, 0, 0, 0, 0, 1, 1, 1,
             1, 0, 0, 0});
  EXPECT_EQ(store.read(sums, 8)[3] + store.read(sums, 8)[4], 2);
}

TEST(Interface, RunsOperatorsOnPlainMemory) {
  lethe_cuda* device = nullptr;
  cuda_on_host();
  ASSERT_EQ(lethe_cuda_open(0, &device), 0);
  void* data = nullptr;
  ASSERT_EQ(lethe_cuda_alloc(device, 12, &data), 0);
  const lethe_cuda_tensor y{data, 12, 0, 0, 0};
  const double numbers[] = {3, 1, 0.5};
  ASSERT_EQ(lethe_cuda_run(device, static_cast<uint32_t>(index_of("fill")), numbers, 3, &y, 1), 0);
  Floats read(3);
  ASSERT_EQ(lethe_cuda_read(device, read.data(), data, 12), 0);
  EXPECT_EQ(read, (Floats{0.5, 0.5, 0.5}));
  EXPECT_NE(lethe_cuda_run(device, static_cast<uint32_t>(index_of("fill")), numbers, 2, &y, 1), 0);
  EXPECT_STREQ(lethe_cuda_error(), "[fill] expected 3 arguments, received 2");
  const double missing[] = {3, 2, 0.5};
  EXPECT_NE(lethe_cuda_run(device, static_cast<uint32_t>(index_of("fill")), missing, 3, &y, 1), 0);
  EXPECT_NE(lethe_cuda_run(device, 1000, numbers, 3, &y, 1), 0);
  EXPECT_NE(lethe_cuda_set(device, "head_logits", "bf16"), 0);
  EXPECT_EQ(lethe_cuda_operator("no such operator"), -1);
  lethe_cuda_free(device, data);
  void* none = nullptr;
  EXPECT_NE(lethe_cuda_alloc(device, size_t{1} << 40, &none), 0);
  EXPECT_NE(std::string(lethe_cuda_error()).find("bytes left"), std::string::npos);
}

// More products than a grid may be deep.
TEST(Matmul, TakesAnyNumberOfProducts) {
  Store store;
  const size_t P = 65535 + 3;
  Floats a(P);
  for (size_t p = 0; p < P; ++p) a[p] = static_cast<float>(p % 1000);
  const uint64_t left = store.add(a), right = store.add(Floats{2}), y = store.add(Floats(P));
  store.run("matmul", {double(P), double(P), 1, 1, 1, 1, double(left), double(right), double(y), 0, 0});
  const Floats products = store.read(y, P);
  for (size_t p = 0; p < P; ++p) ASSERT_EQ(products[p], 2 * a[p]) << p;
}

TEST(Settings, ThatCannotBeReadAreRefused) {
  for (const auto& [name, value] : {std::pair{"LETHE_HEAD_BYTES", "1.5G"}, std::pair{"LETHE_HEAD_LOGITS", "bf16"}}) {
    const char* before = std::getenv(name);
    const std::string kept = before ? before : "";
    setenv(name, value, 1);
    const std::string message = message_of([] { cuda::settings_of_environment(); });
    EXPECT_NE(message.find(std::string(name) + " is '" + value + "'"), std::string::npos) << message;
    if (before)
      setenv(name, kept.c_str(), 1);
    else
      unsetenv(name);
  }
}

TEST(Fibers, KnowTheLimitsOfAGrid) {
  EXPECT_THROW(cuda::emulation::run_grid(dim3(1, 65536), dim3(32), 0, 1, [] {}), std::logic_error);
  EXPECT_THROW(cuda::emulation::run_grid(dim3(3), dim3(32), 0, 3, [] {}), std::logic_error);
}

TEST(Fibers, FindThreadsThatWaitForEver) {
  EXPECT_THROW(cuda::emulation::run_grid(dim3(1), dim3(32), 0, 1,
                                         [] {
                                           if (threadIdx.x == 0) cuda::emulation::sync_block();
                                         }),
               std::logic_error);
}

}  // namespace
}  // namespace lethe::tests
