// Graphs: what is recorded runs when the graph does, again and again; what may not be recorded is refused in words.
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "core/call.h"
#include "cuda_runtime.h"
#include "lethe/cuda.h"
#include "tests/case.h"

namespace lethe {
Device& cuda_on_host();
}

namespace lethe::tests {
namespace {

constexpr int device_index = 1;  // cpu_device() is cuda_on_host() here

class Capture : public testing::Test {
 protected:
  Capture() {
    cuda_on_host();
    lethe_cuda_open(0, &device);
  }
  uint64_t add(const Floats& values) {
    const uint64_t id = buffers.allocate(device_index, values.size() * 4);
    buffers.write(id, 0, values.data(), values.size() * 4);
    return id;
  }
  void run(const char* op, const std::vector<double>& numbers) {
    call(cuda_on_host(), buffers, static_cast<size_t>(lethe_cuda_operator(op)), numbers);
  }
  Floats read(uint64_t id, size_t count) {
    Floats values(count);
    buffers.read(id, 0, values.data(), count * 4);
    return values;
  }
  void* record(const std::function<void()>& work) {
    void* graph = nullptr;
    EXPECT_EQ(lethe_cuda_capture_begin(device), 0) << lethe_cuda_error();
    work();
    EXPECT_EQ(lethe_cuda_capture_end(device, &graph), 0) << lethe_cuda_error();
    return graph;
  }

  lethe_cuda* device = nullptr;
  BufferStore buffers;
};

TEST_F(Capture, RunsWhatWasRecordedEachTime) {
  const uint64_t x = add({1, 2}), y = add({10, 10});
  const auto add_up = [&] { run("binary", {2, 2, 2, double(y), double(x), double(y), 1, 1, 0}); };
  void* graph = record(add_up);
  EXPECT_EQ(read(y, 2), (Floats{10, 10}));
  lethe_cuda_graph_launch(device, graph);
  lethe_cuda_graph_launch(device, graph);
  EXPECT_EQ(read(y, 2), (Floats{12, 14}));
  EXPECT_EQ(lethe_cuda_graph_free(device, graph), 0);
}

// A graph of a product and the update of its weight, from which each repetition must multiply by the new weight.
TEST_F(Capture, FollowsWeights) {
  const uint64_t x32 = add({1}), x = buffers.allocate(device_index, 2, true), weight = add({8}), y32 = add({0}),
                 y = buffers.allocate(device_index, 2, true), half = add({0.5});
  run("convert", {1, double(x32), double(x)});
  const auto work = [&] {
    run("linear", {1, 1, 1, double(x), double(weight), 0, double(y)});
    run("binary", {1, 1, 1, double(weight), double(half), double(weight), 1, 1, 2});
  };
  const auto product = [&] {
    run("convert", {1, double(y), double(y32)});
    return read(y32, 1)[0];
  };
  work();
  EXPECT_EQ(product(), 8);
  void* graph = record(work);
  for (const float expected : {4.0F, 2.0F, 1.0F}) {
    lethe_cuda_graph_launch(device, graph);
    EXPECT_EQ(product(), expected);
  }
  // What was recorded but has not run is not taken for done.
  void* other = record(work);
  run("linear", {1, 1, 1, double(x), double(weight), 0, double(y)});
  EXPECT_EQ(product(), 0.5);
  lethe_cuda_graph_free(device, graph);
  lethe_cuda_graph_free(device, other);
}

TEST_F(Capture, KeepsIgnoredRowsOfTheHead) {
  lethe_cuda_set(device, "head_logits", "fp16");
  const uint64_t hidden = buffers.allocate(device_index, 3 * 4 * 2, true), hidden32 = add(normal(12, 1)),
                 weight = add(normal(20, 2)), sums = add(Floats(8)), dweight = add(Floats(20)),
                 dhidden = buffers.allocate(device_index, 3 * 4 * 2, true),
                 targets = buffers.allocate(device_index, 12);
  const Ints ids{1, -1, 4};
  buffers.write(targets, 0, ids.data(), 12);
  run("convert", {12, double(hidden32), double(hidden)});
  const auto work = [&] {
    run("fill", {20, double(dweight), 0});
    run("unlearn_head", {3,
                         0,
                         4,
                         5,
                         double(hidden),
                         double(weight),
                         double(targets),
                         0,
                         0,
                         double(sums),
                         double(dhidden),
                         double(dweight),
                         0,
                         0,
                         0,
                         1,
                         1,
                         0,
                         1,
                         0,
                         0,
                         0});
  };
  work();
  const Floats eager_sums = read(sums, 8), eager = read(dweight, 20);
  EXPECT_EQ(eager_sums[3] + eager_sums[4], 2);
  // All rows need more working memory than the valid ones: once without the host's knowledge of the targets.
  run("unary", {3, double(targets), double(targets), 7});
  buffers.write(targets, 0, ids.data(), 12);
  void* graph = record(work);
  lethe_cuda_graph_launch(device, graph);
  EXPECT_EQ(read(sums, 8), eager_sums);
  const Floats recorded = read(dweight, 20);
  for (size_t i = 0; i < eager.size(); ++i) EXPECT_NEAR(recorded[i], eager[i], 1e-6) << i;
  lethe_cuda_graph_free(device, graph);
  lethe_cuda_set(device, "head_logits", "fp32");
}

TEST_F(Capture, RefusesWhatAllocatesOrWaits) {
  void *data = nullptr, *more = nullptr;
  float number = 0;
  ASSERT_EQ(lethe_cuda_alloc(device, 64, &data), 0);
  const size_t before = fake::live_blocks();
  void* graph = record([&] {
    EXPECT_NE(lethe_cuda_alloc(device, 64, &more), 0);
    EXPECT_NE(std::string(lethe_cuda_error()).find("a graph is being recorded"), std::string::npos);
    EXPECT_NE(lethe_cuda_write(device, data, &number, 4), 0);
    EXPECT_NE(lethe_cuda_read(device, &number, data, 4), 0);
    EXPECT_NE(lethe_cuda_synchronize(device), 0);
    EXPECT_NE(lethe_cuda_capture_begin(device), 0);
    // Released memory waits for the end: objects of a host language go when they like.
    EXPECT_EQ(lethe_cuda_free(device, data), 0);
    EXPECT_EQ(fake::live_blocks(), before);
  });
  EXPECT_EQ(fake::live_blocks(), before - 1);
  EXPECT_EQ(lethe_cuda_graph_free(device, graph), 0);
  EXPECT_NE(lethe_cuda_capture_end(device, &graph), 0);
}

}  // namespace
}  // namespace lethe::tests
