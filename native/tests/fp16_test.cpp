// The conversions of machines without F16C (cpu/vector/fp16.h), on every half-precision number and around each.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#define LETHE_ISA plain_fp16
#include "cpu/vector/fp16.h"

namespace lethe::cpu::plain_fp16 {
namespace {

float value_of(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float sign = bits >> 15 ? -1.0f : 1.0f;
  if (exponent == 31) return fraction ? std::numeric_limits<float>::quiet_NaN() : sign * HUGE_VALF;
  return sign * (exponent ? std::ldexp(1024.0f + static_cast<float>(fraction), exponent - 25)
                          : std::ldexp(static_cast<float>(fraction), -24));
}

float loaded(uint16_t bits) {
  Fp16 halves[width] = {};
  for (auto& half : halves) half.bits = bits;
  return load(halves)[width - 1];
}

uint16_t stored(float x) {
  Fp16 halves[width];
  store(halves, splat(x));
  return halves[0].bits;
}

TEST(Fp16, EveryNumberIsReadAndWritten) {
  for (uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    const float expected = value_of(bits), actual = loaded(bits);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(actual)) << bits;
      ASSERT_TRUE(std::isnan(loaded(stored(actual)))) << bits;
    } else {
      ASSERT_EQ(actual, expected) << bits;
      ASSERT_EQ(std::signbit(actual), std::signbit(expected)) << bits;
      ASSERT_EQ(stored(actual), bits);
    }
  }
}

TEST(Fp16, WritesTheNearestAndTheEvenOneOfTwo) {
  for (uint16_t bits = 0; bits < 0x7bff; ++bits) {
    const float below = value_of(bits), above = value_of(bits + 1), middle = below + (above - below) / 2;
    ASSERT_EQ(stored(middle), bits % 2 ? bits + 1 : bits) << bits;
    ASSERT_EQ(stored(std::nextafter(middle, 0.0f)), bits) << bits;
    ASSERT_EQ(stored(std::nextafter(middle, HUGE_VALF)), bits + 1) << bits;
  }
  EXPECT_EQ(stored(65519.99f), 0x7bff);
  EXPECT_EQ(stored(65520.0f), 0x7c00);
  EXPECT_EQ(stored(-1e30f), 0xfc00);
  EXPECT_EQ(stored(std::numeric_limits<float>::denorm_min()), 0);
}

}  // namespace
}  // namespace lethe::cpu::plain_fp16
