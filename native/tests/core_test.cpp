// The table, the checks and the buffers.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "core/bf16.h"
#include "core/caching_pool.h"
#include "core/call.h"
#include "core/check.h"
#include "lethe/error.h"

namespace lethe::tests {
namespace {

std::string message(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Check, NamesTheTensorAndItsShape) {
  std::vector<float> memory(2048);
  const auto tensor = [&](size_t count) { return Tensor{memory.data(), count * 4}; };
  rms_norm_args a;
  a.N = 2;
  a.D = 512;
  a.x = a.y = tensor(1024);
  a.rstd = tensor(2);
  a.weight = tensor(511);
  EXPECT_EQ(message([&] { check(a); }), "[rms_norm] weight: expected 512 elements for shape [D] = [512], received 511");
  a.weight = {};
  EXPECT_EQ(message([&] { check(a); }), "[rms_norm] weight: expected a tensor of shape [D] = [512], received none");
  a.weight = tensor(512);
  EXPECT_EQ(message([&] { check(a); }), "no error");
  a.N = int64_t{1} << 61;
  EXPECT_EQ(message([&] { check(a); }),
            "[rms_norm] x: expected too many elements for shape [N,D] = [2305843009213693952, 512], received 1024");
}

TEST(Check, WantsActivationsOfOneType) {
  float memory[8] = {};
  swiglu_args a;
  a.N = 1;
  a.F = 4;
  a.gate = a.y = {memory, 16};
  a.up = {memory, 8};
  a.up.bf16 = true;
  EXPECT_EQ(message([&] { check(a); }), "[swiglu] up: expected 4-byte elements, as gate has, received bf16");
}

TEST(Check, KnowsCoefficients) {
  rope_args a;
  a.N = a.H = 1;
  a.R = 3;
  float x[6] = {};
  a.x = {x, 20};
  EXPECT_EQ(message([&] { check(a); }), "[rope] x: expected 6 elements for shape [N,H,2R] = [1, 1, 6], received 5");
}

TEST(BufferStore, NeverReusesAnId) {
  BufferStore store;
  const uint64_t id = store.allocate(1, 64);
  store.release(id);
  EXPECT_NE(store.allocate(1, 64), id);
  EXPECT_EQ(message([&] { store.release(id); }),
            "[release] buffer: buffer " + std::to_string(id) + " was released, or belongs to another thread");
}

TEST(BufferStore, CountsWrites) {
  BufferStore store;
  const uint64_t id = store.allocate(1, 64);
  const auto version = [&] { return store.tensor(id, cpu_device(), false, "test", "x").version; };
  const uint64_t before = version();
  EXPECT_EQ(version(), before);
  const float one = 1;
  store.write(id, 0, &one, 4);
  EXPECT_GT(version(), before);
  const uint64_t written = version();
  size_t fill = 0;
  while (operators()[fill].name != std::string("fill")) ++fill;
  const double numbers[] = {16, static_cast<double>(id), 3};
  call(cpu_device(), store, fill, numbers);
  EXPECT_GT(version(), written);
}

TEST(CachingPool, ReusesBlocksAndCountsExactly) {
  BufferStore store;
  const uint64_t first = store.allocate(1, 1000);
  EXPECT_EQ(store.pool(1).stats().live, 1000);
  store.release(first);
  EXPECT_EQ(store.pool(1).stats().live, 0);
  EXPECT_EQ(store.pool(1).stats().peak, 1000);
  EXPECT_GE(store.pool(1).stats().cached, 1000);
  store.release(store.allocate(1, 900));
  EXPECT_EQ(store.pool(1).stats().allocations, 1);
  store.pool(1).empty_cache();
  EXPECT_EQ(store.pool(1).stats().cached, 0);
}

TEST(CachingPool, SplitsAndJoinsBlocks) {
  CachingPool pool(cpu_device().memory());
  constexpr size_t part = size_t{1} << 20;
  void* whole = pool.allocate(40 * part);
  pool.release(whole, 40 * part);
  std::vector<std::pair<void*, size_t>> blocks;
  std::mt19937 random(1);
  for (int round = 0; round < 2000; ++round) {
    if (blocks.size() < 20 && random() % 2) {
      const size_t bytes = 1 + random() % part;
      blocks.emplace_back(pool.allocate(bytes), bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(blocks.back().first) % 64, 0);
      for (const auto& [data, size] : blocks) {
        if (data == blocks.back().first) continue;
        const auto *a = static_cast<char*>(data), *b = static_cast<char*>(blocks.back().first);
        EXPECT_TRUE(a + size <= b || b + bytes <= a);
      }
    } else if (!blocks.empty()) {
      std::swap(blocks[random() % blocks.size()], blocks.back());
      pool.release(blocks.back().first, blocks.back().second);
      blocks.pop_back();
    }
  }
  for (const auto& [data, bytes] : blocks) pool.release(data, bytes);
  EXPECT_EQ(pool.stats().live, 0);
#ifndef LETHE_SMALL_SIZES  // with sanitizers, every buffer is by itself
  EXPECT_EQ(pool.stats().allocations, 1);
  EXPECT_EQ(pool.allocate(40 * part), whole);  // the parts are one block again
  pool.release(whole, 40 * part);
#endif
  pool.empty_cache();
  EXPECT_EQ(pool.stats().cached, 0);
}

TEST(Cuda, IsAbsentWithAReason) {
  const std::string reason = message([] { cuda_device(); });
  if (reason == "no error") GTEST_SKIP() << "there is a CUDA device";
  EXPECT_EQ(reason.find("[cuda] "), 0U) << reason;
  EXPECT_GT(reason.size(), 20U) << reason;  // the library is not there, or of another version, or has no driver
}

TEST(Bf16, RoundsToNearestEven) {
  EXPECT_EQ(to_bf16(1.0F), 0x3f80);
  EXPECT_EQ(round_to_bf16(1.00390625F), 1.0F);       // half way, down to even
  EXPECT_EQ(round_to_bf16(1.01171875F), 1.015625F);  // half way, up to even
  EXPECT_EQ(round_to_bf16(-3.4e38F), -std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(round_to_bf16(std::numeric_limits<float>::quiet_NaN())));
}

}  // namespace
}  // namespace lethe::tests
