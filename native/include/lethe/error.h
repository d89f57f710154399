// The one error of the native library: the operator it happened in, and what to do about it.
#pragma once
#include <stdexcept>
#include <string>

namespace lethe {

enum class Code { invalid_argument, out_of_memory, not_available, internal };

class Error : public std::runtime_error {
 public:
  Error(Code what_kind, const std::string& op, const std::string& text)
      : std::runtime_error("[" + op + "] " + text), code(what_kind) {}
  Code code;
};

}  // namespace lethe
