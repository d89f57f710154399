#include "core/environment.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <string_view>

#include "lethe/error.h"

namespace lethe {
namespace {

std::string_view text_of(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

[[noreturn]] void refuse(const char* name, std::string_view value, const std::string& expected) {
  throw Error(Code::invalid_argument, "environment",
              std::string(name) + " is '" + std::string(value) + "'; expected " + expected + ", or unset it");
}

}  // namespace

int64_t environment_number(const char* name, int64_t otherwise) {
  const std::string_view value = text_of(name);
  if (value.empty()) return otherwise;
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view unit(end, static_cast<size_t>(value.data() + value.size() - end));
  const size_t power = unit.empty() ? 0 : unit == "K" ? 1 : unit == "M" ? 2 : unit == "G" ? 3 : 4;
  if (error != std::errc() || number < 1 || power == 4 || number > (INT64_MAX >> (10 * power)))
    refuse(name, value, "a whole number of at least 1, K, M or G behind it if need be");
  return number << (10 * power);
}

std::string environment_choice(const char* name, std::initializer_list<const char*> allowed) {
  const std::string_view value = text_of(name);
  if (value.empty() || std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return std::string(value);
  std::string expected;
  for (const char* one : allowed) expected += (expected.empty() ? "" : " or ") + std::string(one);
  refuse(name, value, expected);
}

}  // namespace lethe
