// What a shape cannot say, operator by operator; then check(args), which does both kinds for each operator.
#include <limits>
#include <string>

#include "core/check.h"

namespace lethe {
namespace {

std::string text(const char* part) { return part; }
std::string text(int64_t part) { return std::to_string(part); }
std::string text(double part) { return std::to_string(part); }

// The message is put together only for an error: these checks run at every call.
template <class... Parts>
void require(bool holds, const char* op, Parts... parts) {
  if (!holds) throw Error(Code::invalid_argument, op, (text(parts) + ...));
}

template <class Args>
void check_values(const Args&) {}

template <class Args>
void check_heads(const char* op, const Args& a) {
  require(a.H > 0 && a.K > 0, op, "H and K: expected at least 1 head, received ", a.H, " and ", a.K);
  require(a.H % a.K == 0, op, "H: expected a multiple of K = ", a.K, ", received ", a.H);
}
void check_values(const attention_args& a) { check_heads("attention", a); }
void check_values(const attention_backward_args& a) { check_heads("attention_backward", a); }

bool is_exponent(double x) { return x >= 0 && x < std::numeric_limits<double>::infinity(); }

void check_values(const unlearn_head_args& a) {
  const char* op = "unlearn_head";
  require(a.V >= 2, op, "V: expected at least 2 tokens, so that there are others than the target, received ", a.V);
  require(a.N == 0 || a.D > 0, op, "D: expected hidden states of at least 1 element, received 0");
  require(a.M <= a.N, op, "M: expected at most N = ", a.N, ", received ", a.M);
  require(a.num_forget >= 0 && a.num_forget <= a.N, op, "num_forget: expected 0 to N = ", a.N, ", received ",
          a.num_forget);
  require(a.method >= 0 && a.method <= 3, op,
          "method: expected 0 (complement), 1 (ascent), 2 (probability) or 3 (clamped), received ", a.method);
  require(is_exponent(a.beta1) && is_exponent(a.beta2), op,
          "beta1 and beta2: expected finite exponents of 0 or more, received ", a.beta1, " and ", a.beta2);
  require(bool(a.original_hidden) == bool(a.original_weight), op,
          "original_hidden and original_weight: expected both or neither");
  require(a.M == 0 || a.original_hidden, op, "original_hidden: expected a tensor, for M = ", a.M);
}

void check_values(const rms_norm_args& a) {
  require(a.N == 0 || a.D > 0, "rms_norm", "D: expected at least 1 element to take the mean of, received 0");
}

void check_values(const adamw_args& a) { require(a.step >= 1, "adamw", "step: expected 1 or more, received ", a.step); }

void check_values(const binary_args& a) {
  require(a.kind >= 0 && a.kind <= 5, "binary", "kind: expected 0 to 5, received ", a.kind);
  require(a.N == 0 || (a.A > 0 && a.B > 0), "binary", "A and B: expected at least 1 element");
  require(a.a_repeat > 0, "binary", "a_repeat: expected at least 1, received ", a.a_repeat);
  require(a.b_repeat > 0, "binary", "b_repeat: expected at least 1, received ", a.b_repeat);
}

void check_values(const unary_args& a) {
  require(a.kind >= 0 && a.kind <= 12, "unary", "kind: expected 0 to 12, received ", a.kind);
}

void check_values(const reduce_args& a) {
  require(a.kind >= 0 && a.kind <= 2, "reduce", "kind: expected 0 to 2, received ", a.kind);
  require(a.kind == 0 || a.D > 0 || a.O * a.I == 0, "reduce", "D: expected at least 1 element to reduce, received 0");
}

void check_values(const matmul_args& a) {
  require(a.P == 0 || (a.A > 0 && a.B > 0), "matmul", "A and B: expected at least 1 matrix");
}

// The elements that a block touches, offset + r stride + c, must lie in [0, size).
void check_block(const char* name, int64_t size, int64_t offset, int64_t stride, int64_t rows, int64_t cols) {
  int64_t low = offset, high = offset, span = 0, past = 0;
  const bool fits = !__builtin_mul_overflow(stride, rows - 1, &span) &&
                    !__builtin_add_overflow(offset, span < 0 ? 0 : span, &high) &&
                    !__builtin_add_overflow(offset, span < 0 ? span : 0, &low) &&
                    !__builtin_add_overflow(high, cols, &past) && low >= 0 && past <= size;
  require(fits, "copy_block", name, ": ", rows, " rows of ", cols, " from offset ", offset, " by stride ", stride,
          " leave [0, ", size, ")");
}

void check_values(const copy_block_args& a) {
  require(a.rows >= 0, "copy_block", "rows: expected 0 or more, received ", a.rows);
  require(a.cols >= 0, "copy_block", "cols: expected 0 or more, received ", a.cols);
  if (a.rows == 0 || a.cols == 0) return;
  check_block("x", a.X, a.x_offset, a.x_stride, a.rows, a.cols);
  check_block("y", a.Y, a.y_offset, a.y_stride, a.rows, a.cols);
}

enum class Index : size_t {
#define LETHE_INDEX(stem) stem,
  LETHE_OPERATORS(LETHE_INDEX)
};

}  // namespace

#define LETHE_DIM(name) values.dims[i++] = a.name;
#define LETHE_TENSOR(kind, dtype, name, shape) values.tensors[i++] = a.name;
#define LETHE_OTHER(name) ++i;
#define LETHE_CHECK(stem)                                                               \
  void check(const stem##_args& a) {                                                    \
    FieldValues values;                                                                 \
    size_t i = 0;                                                                       \
    LETHE_FIELDS_##stem(LETHE_DIM, LETHE_TENSOR, LETHE_OTHER, LETHE_OTHER, LETHE_OTHER) \
        check_shapes(operators()[static_cast<size_t>(Index::stem)], values);            \
    check_values(a);                                                                    \
  }
LETHE_OPERATORS(LETHE_CHECK)

}  // namespace lethe
