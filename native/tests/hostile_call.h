// A call that means no good: shapes, numbers and contents that no model has, chosen by a seed.
#pragma once
#include <array>
#include <cstdlib>
#include <cstring>
#include <new>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/operator_table.h"

namespace lethe::tests {

class Random {
 public:
  explicit Random(uint64_t seed) : bits_(seed) {}
  int64_t below(int64_t count) { return static_cast<int64_t>(bits_() % static_cast<uint64_t>(count)); }
  bool one_in(int64_t count) { return below(count) == 0; }
  uint32_t word() { return static_cast<uint32_t>(bits_()); }
  template <class T, size_t count>
  T pick(const T (&choices)[count]) {
    return choices[below(count)];
  }

 private:
  std::mt19937_64 bits_;
};

// Memory of exactly so many bytes, aligned as the pool's is.
class Block {
 public:
  explicit Block(size_t bytes) : bytes_(bytes) {
    if (posix_memalign(&data_, 64, bytes) != 0) throw std::bad_alloc();
    if (bytes) std::memset(data_, 0xff, bytes);  // NaN, in fp32 and bf16
  }
  Block(Block&& other) noexcept : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  Block(const Block& other) : Block(other.bytes_) {
    if (bytes_) std::memcpy(data_, other.data_, bytes_);
  }
  Block& operator=(const Block&) = delete;
  ~Block() { free(data_); }
  bool operator==(const Block& other) const {
    return bytes_ == other.bytes_ && (bytes_ == 0 || std::memcmp(data_, other.data_, bytes_) == 0);
  }
  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

 private:
  void* data_ = nullptr;
  size_t bytes_;
};

enum class Contents { mild, with_nan, extreme, bits };

// A call: a number for every field that is none of a tensor, a block for every tensor, and where several fields share
// one.
struct Call {
  const Operator* op;
  size_t index;
  std::array<double, max_fields> numbers = {};
  std::array<std::optional<size_t>, max_fields> block_of = {};
  std::array<bool, max_fields> bf16 = {};
  std::vector<Block> blocks;
  Contents contents = Contents::mild;

  double& number(const char* name) {
    for (size_t i = 0; i < op->fields.size(); ++i)
      if (std::string_view(op->fields[i].name) == name) return numbers[i];
    throw std::logic_error(name);
  }
  bool has(const char* name) const {
    for (const Field& field : op->fields)
      if (std::string_view(field.name) == name) return true;
    return false;
  }
  int64_t elements(const Field& field) const;
  int64_t largest() const;  // elements of its largest tensor
  std::string text() const;
};

// The operator is the seed's remainder, so that as many seeds as there are operators call each once.
Call hostile_call(uint64_t seed, Random& random);

// A number that a field may not have.
double wrong_number(Random& random);

}  // namespace lethe::tests
