// Calls that mean no good: shapes, numbers and contents that no model has, on both host devices, by every instruction
// set. Each is done or refused by name; nothing outside of the tensors is touched, which the sanitizers see, for here
// memory ends where its tensor does; inputs stay as they are, and so does everything after a refusal. LETHE_STRESS
// makes so many calls.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <cstring>
#include <limits>
#include <optional>
#include <random>
#include <sstream>
#include <utility>

#include "core/call.h"
#include "core/check.h"
#include "core/environment.h"
#include "cpu/runtime.h"
#include "lethe/device.h"

namespace lethe::tests {
namespace {

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

constexpr double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
constexpr double wrong_numbers[] = {-1,
                                    0.5,
                                    nan,
                                    inf,
                                    -inf,
                                    1e308,
                                    -1e308,
                                    2147483648.0,
                                    -2147483648.0,
                                    4.0e18,
                                    1e-310,
                                    17.0,
                                    1048576.0,
                                    4294967296.0,
                                    1099511627776.0,
                                    9007199254740992.0,
                                    -9007199254740992.0};
constexpr int64_t dims[] = {0,  1,  1,  2,  3,  4,  5,  7,  8,   9,   15,  16,  17,
                            24, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 257};

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
  int64_t elements(const Field& field) const {
    int64_t count = 1;
    for (size_t i = 0; i < static_cast<size_t>(field.rank); ++i) {
      const Factor& factor = field.factors[i];
      count *=
          factor.coefficient * (factor.dim < 0 ? 1 : static_cast<int64_t>(numbers[static_cast<size_t>(factor.dim)]));
    }
    return count;
  }
  int64_t largest() const {
    int64_t most = 0;
    for (const Field& field : op->fields)
      if (field.kind == FieldKind::tensor) most = std::max(most, elements(field));
    return most;
  }
  std::string text() const {
    std::ostringstream out;
    out << op->name;
    for (size_t i = 0; i < op->fields.size(); ++i) {
      out << ' ' << op->fields[i].name << '=';
      if (op->fields[i].kind != FieldKind::tensor)
        out << numbers[i];
      else if (!block_of[i])
        out << "none";
      else
        out << (bf16[i] ? "bf16 " : "") << blocks[*block_of[i]].bytes() << " bytes, block " << *block_of[i];
    }
    return out.str();
  }
};

void choose_dims(Call& call, Random& random) {
  const int64_t most = random.one_in(64) ? 150'000 : random.one_in(4) ? 8'000 : 1'000;
  for (size_t i = 0; i < call.op->fields.size(); ++i)
    if (call.op->fields[i].kind == FieldKind::dim) call.numbers[i] = static_cast<double>(random.pick(dims));
  const auto product = [&] {
    double all = 1;
    for (size_t i = 0; i < call.op->fields.size(); ++i)
      if (call.op->fields[i].kind == FieldKind::dim) all *= std::max(1.0, call.numbers[i]);
    return all;
  };
  // Also of what is no tensor, such as the scores of attention: the work stays small.
  while (call.largest() > most || product() > 200.0 * static_cast<double>(most)) {
    size_t highest = 0;
    for (size_t i = 1; i < call.op->fields.size(); ++i)
      if (call.op->fields[i].kind == FieldKind::dim && call.numbers[i] > call.numbers[highest]) highest = i;
    call.numbers[highest] = std::floor(call.numbers[highest] / 2);
  }
  if (call.has("K") && call.has("H") && call.number("K") > 0 && !random.one_in(8))
    call.number("H") = call.number("K") * static_cast<double>(1 + random.below(4));
  if (call.has("M") && call.has("num_forget") && !random.one_in(8))
    call.number("M") = std::min(call.number("M"), call.number("N"));
}

// Numbers that a call may have, one in eight times one that it may not.
void choose_numbers(Call& call, Random& random) {
  for (size_t i = 0; i < call.op->fields.size(); ++i) {
    const Field& field = call.op->fields[i];
    if (field.kind == FieldKind::flag) call.numbers[i] = static_cast<double>(random.below(2));
    if (field.kind == FieldKind::integer) call.numbers[i] = static_cast<double>(random.below(7));
    if (field.kind == FieldKind::real) call.numbers[i] = random.pick({0.5, 0.9, 1.0, 1e-5});
    if (field.kind != FieldKind::dim && field.kind != FieldKind::tensor && random.one_in(8))
      call.numbers[i] = random.pick(wrong_numbers);
  }
  const auto set = [&](const char* name, int64_t low, double high) {
    if (call.has(name) && !random.one_in(8))
      call.number(name) =
          static_cast<double>(low + random.below(std::max<int64_t>(1, static_cast<int64_t>(high) - low + 1)));
  };
  const std::string_view name = call.op->name;
  set("kind", 0, name == "binary" ? 5 : name == "unary" ? 12 : 2);
  set("method", 0, 3);
  set("step", 1, 5);
  if (call.has("num_forget")) set("num_forget", 0, call.number("N"));
  for (const char* repeat : {"a_repeat", "b_repeat"}) set(repeat, 1, 4);
  if (name != "copy_block") return;
  const double X = call.number("X"), Y = call.number("Y");
  set("rows", 0, 4);
  set("cols", 0, std::min(X, Y) / 4);
  for (const char* stride : {"x_stride", "y_stride"}) set(stride, -4, std::min(X, Y) / 4);
  set("x_offset", 0, X / 4);
  set("y_offset", 0, Y / 4);
}

float hostile_float(Contents contents, Random& random) {
  const float mild = static_cast<float>(random.below(2001) - 1000) / 500.0F;
  if (contents == Contents::mild) return mild;
  if (contents == Contents::with_nan) return random.one_in(50) ? std::nanf("") : mild;
  if (contents == Contents::extreme)
    return random.pick({3.4e38F, -3.4e38F, 1e-40F, -1e-40F, 0.0F, -0.0F, 88.8F, -104.0F, HUGE_VALF, -HUGE_VALF,
                        std::nanf(""), 1.2e-38F});
  float any;
  const uint32_t bits = random.word();
  std::memcpy(&any, &bits, 4);
  return any;
}

// Ids and ranges that point somewhere, one in eight tensors with some that do not.
void fill_ids(const Call& call, const Field& field, const Block& block, Random& random) {
  const auto bound = [&] {
    for (const char* dim : {"V", "P", "S"})
      if (call.has(dim)) return static_cast<int64_t>(const_cast<Call&>(call).number(dim));
    return int64_t{1};
  }();
  const bool is_wrong = random.one_in(8);
  auto* const ids = static_cast<int32_t*>(block.data());
  for (size_t i = 0; i < block.bytes() / 4; ++i) {
    ids[i] = bound > 0 ? static_cast<int32_t>(random.below(bound)) : 0;
    if (std::string_view(field.name) == "targets" && random.one_in(4)) ids[i] = -1;
    if (is_wrong && random.one_in(4))
      ids[i] =
          random.pick({-1, INT32_MIN, INT32_MAX, static_cast<int32_t>(bound), static_cast<int32_t>(bound) + 1, 65536});
  }
}

void fill(const Call& call, const Field& field, const Block& block, bool bf16, Random& random) {
  if (field.dtype == DType::i32) return fill_ids(call, field, block, random);
  const bool is_mean = std::string_view(field.name) == "v" && std::string_view(call.op->name) == "adamw";
  for (size_t i = 0; i < block.bytes() / (bf16 ? 2 : 4); ++i) {
    float value = hostile_float(call.contents, random);
    if (is_mean && call.contents <= Contents::with_nan) value = std::fabs(value);
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    if (bf16)
      static_cast<uint16_t*>(block.data())[i] = static_cast<uint16_t>(bits >> 16);
    else
      static_cast<float*>(block.data())[i] = value;
  }
}

void choose_tensors(Call& call, Random& random) {
  const bool activations = random.one_in(2), is_original = random.one_in(2) || (call.has("M") && call.number("M") > 0);
  for (size_t i = 0; i < call.op->fields.size(); ++i) {
    const Field& field = call.op->fields[i];
    if (field.kind != FieldKind::tensor) continue;
    const bool is_pair = std::string_view(field.name).starts_with("original_");
    if (is_optional(field.access) && (is_pair ? !is_original : random.one_in(3)) != random.one_in(16)) continue;
    call.bf16[i] = field.dtype == DType::act ? activations : field.dtype == DType::wgt && random.one_in(2);
    if (random.one_in(100)) call.bf16[i] = !call.bf16[i];
    const auto bytes = static_cast<size_t>(call.elements(field)) * (call.bf16[i] ? 2 : 4);
    for (size_t j = 0; j < i; ++j)
      if (call.block_of[j] && call.blocks[*call.block_of[j]].bytes() == bytes && call.bf16[j] == call.bf16[i] &&
          (field.dtype == DType::i32) == (call.op->fields[j].dtype == DType::i32) && random.one_in(12))
        call.block_of[i] = call.block_of[j];
    if (call.block_of[i]) continue;
    call.blocks.emplace_back(
        random.one_in(100) ? bytes + static_cast<size_t>(random.below(9)) - std::min<size_t>(bytes, 4) : bytes);
    call.block_of[i] = call.blocks.size() - 1;
    if (field.access == Access::out || field.access == Access::out_opt) continue;
    fill(call, field, call.blocks.back(), call.bf16[i], random);
  }
}

Call choose(uint64_t seed, Random& random) {
  Call call;
  call.index = seed % operators().size();
  call.op = &operators()[call.index];
  call.contents = random.pick({Contents::mild, Contents::with_nan, Contents::extreme, Contents::bits});
  choose_dims(call, random);
  choose_numbers(call, random);
  choose_tensors(call, random);
  if (!random.one_in(8)) return call;
  // One that its tensors do not have.
  const size_t at = static_cast<size_t>(random.below(static_cast<int64_t>(call.op->fields.size())));
  if (call.op->fields[at].kind == FieldKind::dim) call.numbers[at] = random.pick(wrong_numbers);
  return call;
}

// How a call ended: nothing, or why it was refused.
using Refusal = std::optional<std::string>;

template <class Run>
Refusal refusal_of(Run run) {
  try {
    run();
    return std::nullopt;
  } catch (const Error& error) {
    if (error.code == Code::internal) throw;
    return error.what();
  }
}

// Runs a call on tensors that end where their memory does.
Refusal run_directly(Device& device, const Call& call) {
  size_t i = 0;
  const auto integer = [&] {
    const double value = call.numbers[i++];
    if (!(std::fabs(value) < 0x1p63)) return value < 0 ? INT64_MIN : INT64_MAX;
    return static_cast<int64_t>(value);
  };
  const auto tensor = [&] {
    const size_t at = i++;
    if (!call.block_of[at]) return Tensor();
    const Block& block = call.blocks[*call.block_of[at]];
    return Tensor{block.data(), block.bytes(), 0, 0, call.bf16[at]};
  };
#define LETHE_DIM(name) a.name = integer();
#define LETHE_TENSOR(kind, dtype, name, shape) a.name = tensor();
#define LETHE_REAL(name) a.name = call.numbers[i++];
#define LETHE_FLAG(name) a.name = call.numbers[i++] != 0;
#define LETHE_RUN(stem)                                                                         \
  if (std::string_view(call.op->name) == #stem)                                                 \
    return refusal_of([&] {                                                                     \
      stem##_args a;                                                                            \
      LETHE_FIELDS_##stem(LETHE_DIM, LETHE_TENSOR, LETHE_REAL, LETHE_DIM, LETHE_FLAG) check(a); \
      device.stem(a);                                                                           \
    });
  LETHE_OPERATORS(LETHE_RUN)
  throw std::logic_error(call.op->name);
}

// The same through a store, as the addon does it, where numbers need not be integers and ids not be of a buffer.
Refusal run_by_store(Device& device, const Call& call, Random& random) {
  BufferStore store;
  std::vector<uint64_t> ids;
  std::array<double, max_fields> numbers = call.numbers;
  for (size_t i = 0; i < call.op->fields.size(); ++i) {
    if (call.op->fields[i].kind != FieldKind::tensor || !call.block_of[i]) continue;
    const Block& block = call.blocks[*call.block_of[i]];
    const uint64_t id = store.allocate(1, block.bytes(), call.bf16[i]);
    store.write(id, 0, block.data(), block.bytes());
    numbers[i] = random.one_in(64) ? random.pick(wrong_numbers) : static_cast<double>(id);
    ids.push_back(id);
  }
  if (random.one_in(16) && !ids.empty())
    store.release(ids[static_cast<size_t>(random.below(static_cast<int64_t>(ids.size())))]);
  return refusal_of([&] { lethe::call(device, store, call.index, {numbers.data(), call.op->fields.size()}); });
}

bool is_shared(const Call& call, size_t field) {
  int64_t times = 0;
  for (const auto& block : call.block_of) times += block == call.block_of[field];
  return times > 1;
}

// What a call has written that it should not have.
std::string changed(const Call& before, const Call& after, bool is_refused) {
  std::string names;
  for (size_t i = 0; i < before.op->fields.size(); ++i) {
    const Field& field = before.op->fields[i];
    if (field.kind != FieldKind::tensor || !before.block_of[i]) continue;
    const bool may_change = !is_refused && (is_written(field.access) || is_shared(before, i));
    if (!may_change && !(before.blocks[*before.block_of[i]] == after.blocks[*before.block_of[i]]))
      names += std::string(" ") + field.name;
  }
  return names;
}

bool has_bf16(const Call& call) {
  for (const bool yes : call.bf16)
    if (yes) return true;
  return false;
}

// What is called now, for a call that does not end.
std::string current;
void tell_current(int) {
  const std::string text = current + ": has not ended in a minute of work\n";
  if (write(2, text.data(), text.size()) > 0) _exit(1);
  _exit(2);
}

// Counts the processor's time, which a busy machine does not stretch.
void limit_work(int seconds) {
  const itimerval limit{{0, 0}, {seconds, 0}};
  setitimer(ITIMER_PROF, &limit, nullptr);
}

struct Counts {
  int64_t done = 0, refused = 0;
  void add(const Refusal& refusal) { ++(refusal ? refused : done); }
};

void expect_contained(uint64_t seed, Counts& counts) {
  Random random(seed);
  const Call call = choose(seed, random);
  current = "call " + std::to_string(seed) + ": " + call.text();
  SCOPED_TRACE(current);
  limit_work(60);
  cpu::set_num_threads(1 + static_cast<int>(random.below(3)));
  if (random.one_in(4)) {
    return counts.add(run_by_store(random.one_in(3) ? reference_device() : cpu_device(), call, random));
  }
  std::array<Refusal, 2> refusals;
  for (size_t i = has_bf16(call) ? 1 : 0; i < 2; ++i) {  // the reference device has no bf16
    Call made = call;
    refusals[i] = run_directly(i == 0 ? reference_device() : cpu_device(), made);
    counts.add(refusals[i]);
    EXPECT_EQ(changed(call, made, refusals[i].has_value()), "") << refusals[i].value_or("done") << ", device " << i;
  }
  if (!has_bf16(call)) {
    EXPECT_EQ(refusals[0], refusals[1]);
  }
}

TEST(HostileCalls, AreDoneOrRefused) {
  const int threads = cpu::num_threads();
  const auto before = std::signal(SIGPROF, tell_current);
  const auto count = static_cast<uint64_t>(environment_number("LETHE_STRESS", 2000));
  const auto first = static_cast<uint64_t>(environment_number("LETHE_STRESS_FIRST", 1));
  uint64_t quarter = 0;
  Counts counts;
  for (const char* limit : {"generic", "avx2", "avx512", ""}) {
    cpu::limit_simd(limit);
    const uint64_t end = first + count * (quarter + 1) / 4;
    for (uint64_t seed = first + count * quarter++ / 4; seed < end && !HasFailure(); ++seed)
      expect_contained(seed, counts);
  }
  std::printf("hostile calls: %ld done, %ld refused\n", static_cast<long>(counts.done),
              static_cast<long>(counts.refused));
  EXPECT_GT(counts.done, counts.refused);
  limit_work(0);
  std::signal(SIGPROF, before);
  cpu::limit_simd("");
  cpu::set_num_threads(threads);
}

}  // namespace
}  // namespace lethe::tests
