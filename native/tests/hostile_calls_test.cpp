// Hostile calls on both host devices, by every instruction set. Each is done or refused by name; nothing outside of the
// tensors is touched, which the sanitizers see, for here memory ends where its tensor does; inputs stay as they are,
// and so does everything after a refusal. LETHE_STRESS makes so many calls.
#include <gtest/gtest.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <optional>

#include "core/call.h"
#include "core/check.h"
#include "core/environment.h"
#include "cpu/runtime.h"
#include "hostile_call.h"
#include "lethe/device.h"

namespace lethe::tests {
namespace {

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
    numbers[i] = random.one_in(64) ? wrong_number(random) : static_cast<double>(id);
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

// Whether NaN and infinities of both devices can be compared: of numbers from which neither fp32 nor a double
// overflows, and where no result is written over what is still read.
bool is_comparable(const Call& call) {
  if (call.contents != Contents::mild && call.contents != Contents::with_nan) return false;
  // The fast device's gradient of a query that sees a single key is 0, whatever the key says.
  if (call.contents == Contents::with_nan && std::string_view(call.op->name) == "attention_backward") return false;
  for (size_t i = 0; i < call.op->fields.size(); ++i) {
    const Field& field = call.op->fields[i];
    if (field.kind == FieldKind::real && !(call.numbers[i] >= 1e-5 && call.numbers[i] <= 1)) return false;
    if (field.kind == FieldKind::tensor && call.block_of[i] && is_written(field.access) && is_shared(call, i))
      return false;
  }
  return true;
}

// The first result that is a number on the fast device alone. Where tensors hold NaN it may have more of them, for it
// multiplies by the zeros of keys that a query does not see; of numbers alone it has as many.
std::string not_alike(const Call& truth, const Call& fast) {
  for (size_t i = 0; i < truth.op->fields.size(); ++i) {
    const Field& field = truth.op->fields[i];
    if (field.kind != FieldKind::tensor || !truth.block_of[i] || !is_written(field.access)) continue;
    const Block &a = truth.blocks[*truth.block_of[i]], &b = fast.blocks[*fast.block_of[i]];
    for (size_t j = 0; field.dtype != DType::i32 && j < a.bytes() / 4; ++j) {
      const float expected = static_cast<const float*>(a.data())[j], received = static_cast<const float*>(b.data())[j];
      const bool is_lost = !std::isfinite(expected) && std::isfinite(received);
      const bool is_new = std::isfinite(expected) && !std::isfinite(received);
      if (!is_lost && !(is_new && truth.contents == Contents::mild)) continue;
      return std::string(field.name) + '[' + std::to_string(j) + "]: expected " + std::to_string(expected) +
             ", received " + std::to_string(received);
    }
  }
  return "";
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
  int64_t done = 0, refused = 0, compared = 0;
  void add(const Refusal& refusal) { ++(refusal ? refused : done); }
};

void expect_contained(uint64_t seed, Counts& counts) {
  Random random(seed);
  const Call call = hostile_call(seed, random);
  current = "call " + std::to_string(seed) + ": " + call.text();
  SCOPED_TRACE(current);
  limit_work(60);
  cpu::set_num_threads(1 + static_cast<int>(random.below(3)));
  if (random.one_in(4)) {
    return counts.add(run_by_store(random.one_in(3) ? reference_device() : cpu_device(), call, random));
  }
  std::array<Refusal, 2> refusals;
  std::array<Call, 2> results = {call, call};
  for (size_t i = has_bf16(call) ? 1 : 0; i < 2; ++i) {  // the reference device has no bf16
    refusals[i] = run_directly(i == 0 ? reference_device() : cpu_device(), results[i]);
    counts.add(refusals[i]);
    EXPECT_EQ(changed(call, results[i], refusals[i].has_value()), "")
        << refusals[i].value_or("done") << ", device " << i;
  }
  if (!has_bf16(call)) {
    EXPECT_EQ(refusals[0], refusals[1]);
    if (!refusals[0] && is_comparable(call)) {
      EXPECT_EQ(not_alike(results[0], results[1]), "");
      ++counts.compared;
    }
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
  std::printf("hostile calls: %ld done, %ld refused, %ld compared\n", static_cast<long>(counts.done),
              static_cast<long>(counts.refused), static_cast<long>(counts.compared));
  EXPECT_GT(counts.done, counts.refused);
  EXPECT_GT(counts.compared, counts.done / 10);
  limit_work(0);
  std::signal(SIGPROF, before);
  cpu::limit_simd("");
  cpu::set_num_threads(threads);
}

}  // namespace
}  // namespace lethe::tests
