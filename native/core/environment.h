// Settings from environment variables. A value that cannot be read is an error that names the variable.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>

namespace lethe {

// A whole number of at least 1, with K, M or G for 2^10, 2^20 or 2^30; `otherwise` where the variable is not set.
int64_t environment_number(const char* name, int64_t otherwise);

// One of `allowed`; empty where the variable is not set.
std::string environment_choice(const char* name, std::initializer_list<const char*> allowed);

}  // namespace lethe
