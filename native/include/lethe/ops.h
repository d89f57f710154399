// THE operator table. Every device implements each entry; the addon, the shape checks and the TypeScript face are
// generated from it or compared with it. An operator is a stem: <stem>_args here, one file <stem>.cpp per device.
//
// Field kinds (arguments are passed in this order):
//   DIM(name)                     a dimension (int64)
//   TENSOR(kind, dtype, name, shape)   kind: in, in_opt   read
//                                      out, out_opt       overwritten, whatever it held
//                                      acc, acc_opt       added to
//                                      inout              read and overwritten
//                 dtype: f32, i32    as they say
//                        act         an activation: f32 or bf16, the same for all of a call
//                        wgt         f32 or bf16, each for itself: weights, frozen ones may be kept in bf16
//   REAL(name)  INT(name)  FLAG(name)  double, int64, bool
// Where activations are bf16, matrix products round weights to bf16 and accumulate in fp32, and everything between two
// products is computed in fp32; where they are f32, all is fp32. Gradients of weights (acc) are always f32.
// Shapes are products of the DIMs above them, outermost first; "2R" means twice R. Memory is dense and row major.
//
// Legend: N rows (tokens), D hidden width or head size, V vocabulary, I/O input and output width, F feed-forward width,
//         B sequences, T queries, S key rows, H query heads, K key/value heads, P positions, R = D / 2, M original
//         rows.
#pragma once
#include <cstdint>

#include "lethe/tensor.h"

// clang-format off: a table, one field kind after the other; the tool would never leave it alone.
#define LETHE_OPERATORS(OP)                                                                                            \
  OP(embedding) OP(embedding_backward) OP(rms_norm) OP(rms_norm_backward) OP(linear) OP(linear_backward) OP(rope)      \
  OP(attention) OP(attention_backward) OP(swiglu) OP(swiglu_backward) OP(unlearn_head) OP(adamw) OP(global_norm)       \
  OP(binary) OP(unary) OP(fill) OP(reduce) OP(matmul) OP(copy_block) OP(convert)

// y[n] = weight[ids[n]]. An id outside [0, V) is an invalid_argument. Also gathers rows of any matrix.
#define LETHE_FIELDS_embedding(DIM, TENSOR, REAL, INT, FLAG)                                                           \
  DIM(N) DIM(V) DIM(D)                                                                                                 \
  TENSOR(in, i32, ids, "N") TENSOR(in, wgt, weight, "V,D") TENSOR(out, act, y, "N,D")

// dweight[ids[n]] += dy[n], in row order (deterministic). Also scatters rows of any matrix.
#define LETHE_FIELDS_embedding_backward(DIM, TENSOR, REAL, INT, FLAG)                                                  \
  DIM(N) DIM(V) DIM(D)                                                                                                 \
  TENSOR(in, i32, ids, "N") TENSOR(in, act, dy, "N,D") TENSOR(acc, f32, dweight, "V,D")

// sum = x + residual (written when residual is given); rstd = 1 / sqrt(mean(sum^2) + epsilon); y = sum * rstd * weight
#define LETHE_FIELDS_rms_norm(DIM, TENSOR, REAL, INT, FLAG)                                                            \
  DIM(N) DIM(D)                                                                                                        \
  TENSOR(in, act, x, "N,D") TENSOR(in_opt, act, residual, "N,D") TENSOR(in, f32, weight, "D")                          \
  TENSOR(out_opt, act, sum, "N,D") TENSOR(out, act, y, "N,D") TENSOR(out, f32, rstd, "N") REAL(epsilon)

// x is the normalised input (sum). dx = dsum + rstd * (dy * weight - x * rstd^2 * mean(dy * weight * x));
// dweight += sum over rows of dy * x * rstd. dsum: gradient that reaches x past the norm, absent = 0. dx may alias dsum.
#define LETHE_FIELDS_rms_norm_backward(DIM, TENSOR, REAL, INT, FLAG)                                                   \
  DIM(N) DIM(D)                                                                                                        \
  TENSOR(in, act, x, "N,D") TENSOR(in, f32, weight, "D") TENSOR(in, f32, rstd, "N") TENSOR(in, act, dy, "N,D")         \
  TENSOR(in_opt, act, dsum, "N,D") TENSOR(out, act, dx, "N,D") TENSOR(acc_opt, f32, dweight, "D")

// y = x weight^T + bias. y is stored as x is, or in fp32: logits are not rounded to bf16.
#define LETHE_FIELDS_linear(DIM, TENSOR, REAL, INT, FLAG)                                                              \
  DIM(N) DIM(I) DIM(O)                                                                                                 \
  TENSOR(in, act, x, "N,I") TENSOR(in, wgt, weight, "O,I") TENSOR(in_opt, f32, bias, "O") TENSOR(out, wgt, y, "N,O")

// dx = dy weight (added to dx when accumulate_dx); dweight += dy^T x; dbias += column sums of dy
#define LETHE_FIELDS_linear_backward(DIM, TENSOR, REAL, INT, FLAG)                                                     \
  DIM(N) DIM(I) DIM(O)                                                                                                 \
  TENSOR(in, act, x, "N,I") TENSOR(in, wgt, weight, "O,I") TENSOR(in, act, dy, "N,O")                                  \
  TENSOR(out_opt, act, dx, "N,I") TENSOR(acc_opt, f32, dweight, "O,I") TENSOR(acc_opt, f32, dbias, "O")                \
  FLAG(accumulate_dx)

// Rotates the pairs (x[r], x[r + R]) of each head by the angle of the row's position: (a c - b s, b c + a s).
// inverse rotates back, which is the backward pass. y may alias x. A position outside [0, P) is an invalid_argument.
#define LETHE_FIELDS_rope(DIM, TENSOR, REAL, INT, FLAG)                                                                \
  DIM(N) DIM(H) DIM(R) DIM(P)                                                                                          \
  TENSOR(in, act, x, "N,H,2R") TENSOR(in, i32, positions, "N") TENSOR(in, f32, cos, "P,R") TENSOR(in, f32, sin, "P,R") \
  TENSOR(out, act, y, "N,H,2R") FLAG(inverse)

// Query t of sequence b sees the key rows first[b,t] .. last[b,t] (inclusive; none when last < first: y = 0, lse = -inf).
// Query head h reads key/value head h / (H / K). y = softmax(scale q k^T) v; lse = log sum exp of the scaled scores.
#define LETHE_FIELDS_attention(DIM, TENSOR, REAL, INT, FLAG)                                                           \
  DIM(B) DIM(T) DIM(S) DIM(H) DIM(K) DIM(D)                                                                            \
  TENSOR(in, act, q, "B,T,H,D") TENSOR(in, act, k, "B,S,K,D") TENSOR(in, act, v, "B,S,K,D")                            \
  TENSOR(in, i32, first, "B,T") TENSOR(in, i32, last, "B,T")                                                           \
  TENSOR(out, act, y, "B,T,H,D") TENSOR(out, f32, lse, "B,H,T") REAL(scale)

#define LETHE_FIELDS_attention_backward(DIM, TENSOR, REAL, INT, FLAG)                                                  \
  DIM(B) DIM(T) DIM(S) DIM(H) DIM(K) DIM(D)                                                                            \
  TENSOR(in, act, q, "B,T,H,D") TENSOR(in, act, k, "B,S,K,D") TENSOR(in, act, v, "B,S,K,D")                            \
  TENSOR(in, i32, first, "B,T") TENSOR(in, i32, last, "B,T")                                                           \
  TENSOR(in, act, y, "B,T,H,D") TENSOR(in, f32, lse, "B,H,T") TENSOR(in, act, dy, "B,T,H,D")                           \
  TENSOR(out, act, dq, "B,T,H,D") TENSOR(out, act, dk, "B,S,K,D") TENSOR(out, act, dv, "B,S,K,D") REAL(scale)

// y = silu(gate) * up
#define LETHE_FIELDS_swiglu(DIM, TENSOR, REAL, INT, FLAG)                                                              \
  DIM(N) DIM(F)                                                                                                        \
  TENSOR(in, act, gate, "N,F") TENSOR(in, act, up, "N,F") TENSOR(out, act, y, "N,F")

#define LETHE_FIELDS_swiglu_backward(DIM, TENSOR, REAL, INT, FLAG)                                                     \
  DIM(N) DIM(F)                                                                                                        \
  TENSOR(in, act, gate, "N,F") TENSOR(in, act, up, "N,F") TENSOR(in, act, dy, "N,F")                                   \
  TENSOR(out, act, dgate, "N,F") TENSOR(out, act, dup, "N,F")

// The fused head and loss (docs/math.md): logits z = hidden weight^T are never held for all rows at once.
// Rows [0, num_forget) are forget rows, the others replay rows; targets -1 are ignored (no loss, zero dhidden).
// The original model's hidden states, when given, belong to the LAST M rows; replay rows among them get the KL term.
// original_hidden and original_weight are given both or neither. V >= 2; targets in [-1, V).
//   forget row:  loss by `method`, gradient of z = scale_forgetting * c(p) * (e_y - q),  q = softmax over v != y
//                m = z_y - LSE_{v != y}(z), p = sigmoid(m); method 0 complement: -log(1-p), c = p;
//                1 ascent: s log p, c = s (1-p), s = p^beta1 (1-p)^beta2;  2 probability: p, c = p (1-p);
//                3 clamped: -log max(1-p, 1e-5), c = p, 0 at the clamp. beta1, beta2 >= 0, used by ascent alone.
//   replay row:  -log p and KL(p_ori || p); gradient of z = (scale_replay + scale_mitigation) p - scale_replay e_y
//                - scale_mitigation p_ori
// sums = [forgetting, replay, mitigation, forget targets, replay targets, sum of p on forget rows, sum of |c(p)|, 0]:
// plain sums over valid rows, not scaled. dhidden = dz weight; dweight += dz^T hidden.
// Per row, on request: nll = -log p of the target, p, kl (0 where there is none, and on ignored rows).
#define LETHE_FIELDS_unlearn_head(DIM, TENSOR, REAL, INT, FLAG)                                                        \
  DIM(N) DIM(M) DIM(D) DIM(V)                                                                                          \
  TENSOR(in, act, hidden, "N,D") TENSOR(in, wgt, weight, "V,D") TENSOR(in, i32, targets, "N")                          \
  TENSOR(in_opt, act, original_hidden, "M,D") TENSOR(in_opt, wgt, original_weight, "V,D")                              \
  TENSOR(out, f32, sums, "8") TENSOR(out_opt, act, dhidden, "N,D") TENSOR(acc_opt, f32, dweight, "V,D")                \
  TENSOR(out_opt, f32, nll, "N") TENSOR(out_opt, f32, p, "N") TENSOR(out_opt, f32, kl, "N")                            \
  REAL(scale_forgetting) REAL(scale_replay) REAL(scale_mitigation) INT(num_forget) INT(method)          \
  REAL(beta1) REAL(beta2)

// AdamW (Loshchilov & Hutter 2019), as PyTorch: g = grad * grad_scale; param *= 1 - lr * weight_decay;
// m, v moving averages; param -= lr * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)
#define LETHE_FIELDS_adamw(DIM, TENSOR, REAL, INT, FLAG)                                                               \
  DIM(N)                                                                                                               \
  TENSOR(inout, f32, param, "N") TENSOR(in, f32, grad, "N") TENSOR(inout, f32, m, "N") TENSOR(inout, f32, v, "N")      \
  REAL(lr) REAL(beta1) REAL(beta2) REAL(epsilon) REAL(weight_decay) REAL(grad_scale) INT(step)

// sum_squares += sum of x^2. The norm of many tensors is the root of one such sum; NaN and inf propagate into it.
#define LETHE_FIELDS_global_norm(DIM, TENSOR, REAL, INT, FLAG)                                                         \
  DIM(N)                                                                                                               \
  TENSOR(in, f32, x, "N") TENSOR(acc, f32, sum_squares, "1")

// y[i] = f(a[(i / a_repeat) % A], b[(i / b_repeat) % B]); kind 0 add, 1 sub, 2 mul, 3 div, 4 max, 5 min. y may alias a or b.
#define LETHE_FIELDS_binary(DIM, TENSOR, REAL, INT, FLAG)                                                              \
  DIM(N) DIM(A) DIM(B)                                                                                                 \
  TENSOR(in, act, a, "A") TENSOR(in, act, b, "B") TENSOR(out, act, y, "N") INT(a_repeat) INT(b_repeat) INT(kind)

// kind 0 neg, 1 square, 2 exp, 3 log, 4 sqrt, 5 rsqrt, 6 reciprocal, 7 abs, 8 relu, 9 sigmoid, 10 tanh, 11 step (x > 0),
// 12 softplus. y may alias x.
#define LETHE_FIELDS_unary(DIM, TENSOR, REAL, INT, FLAG)                                                               \
  DIM(N)                                                                                                               \
  TENSOR(in, f32, x, "N") TENSOR(out, f32, y, "N") INT(kind)

#define LETHE_FIELDS_fill(DIM, TENSOR, REAL, INT, FLAG)                                                                \
  DIM(N)                                                                                                               \
  TENSOR(out, f32, y, "N") REAL(value)

// x seen as [O, D, I] is reduced over D; kind 0 sum, 1 mean, 2 max.
#define LETHE_FIELDS_reduce(DIM, TENSOR, REAL, INT, FLAG)                                                              \
  DIM(O) DIM(D) DIM(I)                                                                                                 \
  TENSOR(in, f32, x, "O,D,I") TENSOR(out, f32, y, "O,I") INT(kind)

// y[b] = op(a[b % A]) op(b[b % B]) with op(a) M x K and op(b) K x N; a transposed operand is stored K x M or N x K.
#define LETHE_FIELDS_matmul(DIM, TENSOR, REAL, INT, FLAG)                                                              \
  DIM(P) DIM(A) DIM(B) DIM(M) DIM(N) DIM(K)                                                                            \
  TENSOR(in, f32, a, "A,M,K") TENSOR(in, f32, b, "B,K,N") TENSOR(out, f32, y, "P,M,N")                                 \
  FLAG(transpose_a) FLAG(transpose_b)

// y[y_offset + r y_stride + c] = x[x_offset + r x_stride + c] for r < rows, c < cols (also int32 elements).
// Slices, concatenations and appends to a KV cache. Reads and writes outside x [X] or y [Y] are invalid_argument.
#define LETHE_FIELDS_copy_block(DIM, TENSOR, REAL, INT, FLAG)                                                          \
  DIM(X) DIM(Y)                                                                                                        \
  TENSOR(in, act, x, "X") TENSOR(inout, act, y, "Y")                                                                   \
  INT(rows) INT(cols) INT(x_offset) INT(x_stride) INT(y_offset) INT(y_stride)

// y[i] = x[i], from f32 to bf16 (to nearest, ties to even) or back, or a copy.
#define LETHE_FIELDS_convert(DIM, TENSOR, REAL, INT, FLAG)                                                             \
  DIM(N)                                                                                                               \
  TENSOR(in, wgt, x, "N") TENSOR(out, wgt, y, "N")

// clang-format on

namespace lethe {

// One argument struct per operator: embedding_args, rms_norm_args, ...
#define LETHE_STRUCT_DIM(name) int64_t name = 0;
#define LETHE_STRUCT_TENSOR(kind, dtype, name, shape) Tensor name;
#define LETHE_STRUCT_REAL(name) double name = 0;
#define LETHE_STRUCT_INT(name) int64_t name = 0;
#define LETHE_STRUCT_FLAG(name) bool name = false;
#define LETHE_STRUCT(stem)                                                                                             \
  struct stem##_args {                                                                                                 \
    LETHE_FIELDS_##stem(LETHE_STRUCT_DIM, LETHE_STRUCT_TENSOR, LETHE_STRUCT_REAL, LETHE_STRUCT_INT, LETHE_STRUCT_FLAG) \
  };
LETHE_OPERATORS(LETHE_STRUCT)
#undef LETHE_STRUCT

}  // namespace lethe
