// How hostile calls are chosen: mostly so that they are done, one in eight times of each kind so that they are not.
#include "hostile_call.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>

namespace lethe::tests {
namespace {

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

}  // namespace

int64_t Call::elements(const Field& field) const {
  int64_t count = 1;
  for (size_t i = 0; i < static_cast<size_t>(field.rank); ++i) {
    const Factor& factor = field.factors[i];
    count *= factor.coefficient * (factor.dim < 0 ? 1 : static_cast<int64_t>(numbers[static_cast<size_t>(factor.dim)]));
  }
  return count;
}

int64_t Call::largest() const {
  int64_t most = 0;
  for (const Field& field : op->fields)
    if (field.kind == FieldKind::tensor) most = std::max(most, elements(field));
  return most;
}

std::string Call::text() const {
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

Call hostile_call(uint64_t seed, Random& random) {
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

double wrong_number(Random& random) { return random.pick(wrong_numbers); }

}  // namespace lethe::tests
