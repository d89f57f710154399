#include "core/environment.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "lethe/error.h"

namespace lethe::tests {
namespace {

constexpr const char* name = "LETHE_TEST_SETTING";

class Environment : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv(name); }
  static int64_t number(const char* value) {
    setenv(name, value, 1);
    return environment_number(name, 7);
  }
};

TEST_F(Environment, ReadsNumbersWithUnits) {
  EXPECT_EQ(environment_number(name, 7), 7);
  EXPECT_EQ(number(""), 7);
  EXPECT_EQ(number("40000"), 40000);
  EXPECT_EQ(number("2K"), 2048);
  EXPECT_EQ(number("128M"), int64_t{128} << 20);
  EXPECT_EQ(number("3G"), int64_t{3} << 30);
}

TEST_F(Environment, RefusesWhatIsNoNumber) {
  for (const char* wrong :
       {"0", "-1", "1.5G", "12MB", "G", "many", " 1", "9223372036854775807K", "99999999999999999999"})
    EXPECT_THROW(number(wrong), Error) << wrong;
}

TEST_F(Environment, NamesTheVariableAndTheChoices) {
  EXPECT_EQ(environment_choice(name, {"avx2", "generic"}), "");
  setenv(name, "avx2", 1);
  EXPECT_EQ(environment_choice(name, {"avx2", "generic"}), "avx2");
  setenv(name, "AVX2", 1);
  try {
    environment_choice(name, {"avx2", "generic"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "[environment] LETHE_TEST_SETTING is 'AVX2'; expected avx2 or generic, or unset it");
  }
}

}  // namespace
}  // namespace lethe::tests
