// The queue and the watch over a transport that does what a test says; MPI itself is tested by
// native/src/collectives.spec.ts.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <future>
#include <stdexcept>
#include <thread>

#include "collectives/place.h"
#include "collectives/queue.h"
#include "collectives/watch.h"
#include "lethe/error.h"

namespace lethe::tests {
namespace {

using namespace collectives;

// What a test tells the transport, and what it has been asked.
struct Script {
  int size = 2;
  bool beats = true;
  int64_t other_calls = 1000;
  int64_t most = 1000;
  std::vector<int64_t> counts, strides;
  std::vector<void*> starts;
  std::vector<int> lanes;
  std::atomic<bool> comes{true}, tensors_come{true}, closed{false};
  std::string refuses;
  Place other{};
};

class Scripted final : public Transport {
 public:
  explicit Scripted(Script& script) : script_(script), places_{this_place(), script.other} {
    places_.resize(static_cast<size_t>(script.size));
  }
  int rank() const override { return 0; }
  int size() const override { return script_.size; }
  std::string library() const override { return "a script"; }
  const std::vector<Place>& places() const override { return places_; }
  int64_t most(const Call&) const override { return script_.most; }
  void start(const Call& call) override {
    if (!script_.refuses.empty()) throw std::runtime_error(script_.refuses);
    script_.counts.push_back(call.count);
    script_.starts.push_back(call.data);
    script_.strides.push_back(call.stride);
    script_.lanes.push_back(static_cast<int>(call.lane));
  }
  bool finished(Lane lane) override { return lane == Lane::values ? script_.comes : script_.tensors_come; }
  void beat(const Beat&) override { beaten_ = true; }
  bool heard(int& from, Beat& beat) override {
    if (!script_.beats || !beaten_) return false;
    beaten_ = false;
    from = 1;
    beat.calls = script_.other_calls;
    std::strcpy(beat.where, "saving");
    return true;
  }
  void abort() noexcept override {}
  void close() override { script_.closed = true; }

 private:
  Script& script_;
  std::vector<Place> places_;
  bool beaten_ = false;
};

Place elsewhere() {
  Place place;
  std::strcpy(place.host, "elsewhere");
  place.pid = 1;
  return place;
}

Queue::Opener opener(Script& script) {
  return [&script] { return std::make_unique<Scripted>(script); };
}

std::string run(Queue& queue, const Call& call) {
  std::promise<std::string> result;
  queue.submit(call, [&](const std::string& error) { result.set_value(error); });
  return result.get_future().get();
}

TEST(Collectives, RunInOrderAndCloseAfterTheLast) {
  Script script;
  script.other = elsewhere();
  std::vector<int> order;
  {
    Queue queue(opener(script), {});
    for (int i = 0; i < 20; ++i)
      queue.submit({Kind::barrier, Type::f32, nullptr, 0, 0}, [&order, i](const std::string&) { order.push_back(i); });
  }
  ASSERT_EQ(order.size(), 20u);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
  EXPECT_TRUE(script.closed);
}

TEST(Collectives, ValuesDoNotWaitForTensors) {
  Script script;
  script.other = elsewhere();
  script.tensors_come = false;
  Queue queue(opener(script), {});
  float tensor[4] = {};
  Call large{Kind::all_reduce, Type::f32, tensor, 4};
  large.lane = Lane::tensors;
  std::promise<std::string> travelled;
  queue.submit(large, [&](const std::string& error) { travelled.set_value(error); });
  EXPECT_EQ(run(queue, {Kind::barrier, Type::f32, nullptr, 0, 0}), "");
  auto result = travelled.get_future();
  EXPECT_EQ(result.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  script.tensors_come = true;
  EXPECT_EQ(result.get(), "");
}

TEST(Collectives, WaitForTheCallsOnSomeMemory) {
  Script script;
  script.other = elsewhere();
  script.tensors_come = false;
  Queue queue(opener(script), {});
  float memory[12] = {};
  for (int i = 0; i < 2; ++i) {
    Call call{Kind::all_reduce, Type::f32, memory + 4 * i, 4};
    call.lane = Lane::tensors;
    queue.submit(call, [](const std::string&) {});
  }
  queue.wait(memory + 8, 16);  // nobody's
  for (int i = 0; i < 2; ++i) {
    script.tensors_come = false;
    auto waits = std::async(std::launch::async, [&, i] { queue.wait(memory + 4 * i, 16); });
    if (i == 0) {
      EXPECT_EQ(waits.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
    }
    script.tensors_come = true;
    waits.get();
  }
  script.refuses = "the network is down";
  run(queue, {Kind::barrier, Type::f32, nullptr, 0, 0});
  script.refuses = "";
  EXPECT_THROW(queue.wait(memory, 16), Error);
}

TEST(Collectives, DivideWhatTheTransportDoesNotCarryAtOnce) {
  for (const Kind kind : {Kind::all_reduce, Kind::all_gather}) {
    Script script;
    script.other = elsewhere();
    script.most = 4;
    Queue queue(opener(script), {});
    float data[26] = {};
    EXPECT_EQ(run(queue, {kind, Type::f32, data, 13, 0}), "");
    EXPECT_EQ(script.counts, (std::vector<int64_t>{4, 4, 4, 1}));
    EXPECT_EQ(script.starts, (std::vector<void*>{data, data + 4, data + 8, data + 12}));
    EXPECT_EQ(script.strides, std::vector<int64_t>(4, 13));
  }
}

TEST(Collectives, TensorsTakeLanesInTurnAndThoseOfGpusOne) {
  for (const bool on_gpu : {false, true}) {
    Script script;
    script.other = elsewhere();
    script.most = 1;
    Queue queue(opener(script), {});
    float data[5] = {};
    EXPECT_EQ(run(queue, {Kind::all_reduce, Type::f32, data, 5, 0, on_gpu, Lane::tensors}), "");
    EXPECT_EQ(script.lanes, on_gpu ? std::vector<int>(5, 1) : (std::vector<int>{1, 2, 3, 1, 2}));
  }
}

TEST(Collectives, TellWhatTheTransportRefuses) {
  Script script;
  script.other = elsewhere();
  Queue queue(opener(script), {});
  script.refuses = "no such rank";
  EXPECT_EQ(run(queue, {Kind::barrier, Type::f32, nullptr, 0, 0}), "no such rank");
  script.refuses = "";
  EXPECT_EQ(run(queue, {Kind::barrier, Type::f32, nullptr, 0, 0}), "");
  EXPECT_THROW(Queue([]() -> std::unique_ptr<Transport> { throw std::runtime_error("none here"); }, {}),
               std::runtime_error);
}

TEST(Collectives, AProcessAloneHasRankZero) {
  Queue queue(open_none, {});
  EXPECT_EQ(queue.size(), 1);
  EXPECT_EQ(queue.places().at(0).pid, getpid());
  float x = 3;
  EXPECT_EQ(run(queue, {Kind::all_reduce, Type::f32, &x, 1, 0}), "");
  EXPECT_EQ(x, 3);
}

TEST(Place, TellsEndedProcessesOfThisMachineOnly) {
  Place mine = this_place(), other = mine;
  EXPECT_TRUE(may_live(other, mine));
  other.pid = (1 << 22) + 1;
  EXPECT_FALSE(may_live(other, mine));
  std::strcpy(other.host, "elsewhere");
  EXPECT_TRUE(may_live(other, mine));
}

// The processes of these end: in a process of their own.
class CollectivesDeathTest : public testing::Test {
 protected:
  void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }
  static void wait(Script& script, Limits limits) {
    Queue queue(opener(script), limits);
    queue.at("step 5");
    run(queue, {Kind::all_reduce, Type::f32, nullptr, 1, 0});
  }
};

TEST_F(CollectivesDeathTest, ARankThatHasEndedIsNamed) {
  Script script;
  script.other = this_place();
  script.other.pid = (1 << 22) + 1;
  script.comes = false;
  EXPECT_EXIT(wait(script, {}), testing::ExitedWithCode(1),
              "rank 0, step 5: rank 1 \\(process 4194305 on .*\\) has ended; the job ends on all ranks");
}

TEST_F(CollectivesDeathTest, ARankThatIsSilentIsNamed) {
  Script script;
  script.other = elsewhere();
  script.beats = script.comes = false;
  EXPECT_EXIT(wait(script, {60, 0.5}), testing::ExitedWithCode(1), "elsewhere\\) has given no sign of life");
}

TEST_F(CollectivesDeathTest, ARankThatLivesAndDoesNotComeIsNamed) {
  Script script;
  script.other = elsewhere();
  script.other_calls = 0;
  script.comes = false;
  EXPECT_EXIT(wait(script, {1.5, 60}), testing::ExitedWithCode(1),
              "all_reduce has waited 1 s for other ranks: rank 1 \\(process 1 on elsewhere\\) is at saving");
}

TEST_F(CollectivesDeathTest, AbortEndsTheProcess) {
  Script script;
  script.other = elsewhere();
  script.comes = false;
  const auto abort = [&] {
    Queue queue(opener(script), {});
    queue.submit({Kind::barrier, Type::f32, nullptr, 0, 0}, [](const std::string&) {});
    queue.abort();
  };
  EXPECT_EXIT(abort(), testing::ExitedWithCode(1), "");
}

}  // namespace
}  // namespace lethe::tests
