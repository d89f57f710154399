// Attention for what the tensor core kernels do not take: fp32, and head sizes up to 512 that are not multiples of 8 or
// beyond 128. One warp per query (or, for dk and dv, per key row), lanes over D; fp32 throughout. Formulas as in
// attention.cu and attention_backward.cu. Memory: keys and values are read once per query. Slow and plain.
#include "cuda/kernels/attention.h"
#include "cuda/kernels/attention_tile.cuh"
#include "cuda/kernels/table_index.h"

namespace lethe::cuda {
namespace {

constexpr int most_parts = 16, warps = 4;  // D / 32 numbers a lane; warps a block

template <class T>
struct Plain {
  AttentionShape shape;
  const T *q, *k, *v, *dy;
  const int32_t *first, *last;
  const float* delta;
  T *y, *dq, *dk, *dv;
  float* lse;
  float scale;
  int op;
  IndexError* error;
};

// A lane's part of a vector of D numbers.
template <class T>
__device__ void load_vector(const T* from, int D, float (&x)[most_parts]) {
#pragma unroll
  for (int i = 0; i < most_parts; ++i) {
    const int d = i * 32 + static_cast<int>(threadIdx.x) % 32;
    x[i] = d < D ? to_float(from[d]) : 0;
  }
}
template <class T>
__device__ void store_vector(T* to, int D, const float (&x)[most_parts], float factor) {
#pragma unroll
  for (int i = 0; i < most_parts; ++i) {
    const int d = i * 32 + static_cast<int>(threadIdx.x) % 32;
    if (d < D) from_float(x[i] * factor, to[d]);
  }
}
template <class T>
__device__ float dot(const float (&x)[most_parts], const T* with, int D) {
  float sum = 0;
#pragma unroll
  for (int i = 0; i < most_parts; ++i) {
    const int d = i * 32 + static_cast<int>(threadIdx.x) % 32;
    if (d < D) sum += x[i] * to_float(with[d]);
  }
  return warp_sum(sum);
}
template <class T>
__device__ void add(float (&sum)[most_parts], float factor, const T* x, int D) {
#pragma unroll
  for (int i = 0; i < most_parts; ++i) {
    const int d = i * 32 + static_cast<int>(threadIdx.x) % 32;
    if (d < D) sum[i] += factor * to_float(x[d]);
  }
}

__device__ inline int warp_index() { return static_cast<int>(blockIdx.x) * warps + static_cast<int>(threadIdx.x) / 32; }

template <class T>
__device__ KeyRows rows_of(const Plain<T>& a, int b, int t) {
  const int64_t at = int64_t{b} * a.shape.T + t;
  const int first = a.first[at], last = a.last[at];
  if (first <= last && (first < 0 || last >= a.shape.S) && threadIdx.x % 32 == 0)
    report(a.error, a.op, IndexKind::key_rows, at, first < 0 ? first : last, a.shape.S);
  return clipped(first, last, a.shape.S);
}

template <class T>
__global__ void plain_attention_kernel(Plain<T> a) {
  const AttentionShape& shape = a.shape;
  const int t = warp_index(), h = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z), D = shape.D;
  if (t >= shape.T) return;
  const KeyRows rows = rows_of(a, b, t);
  float q[most_parts], y[most_parts] = {}, max = -INFINITY, sum = 0;
  load_vector(a.q + shape.query(b, t, h), D, q);
  for (int s = rows.first; s <= rows.last; ++s) {
    const int64_t key = shape.key(b, s, h / (shape.H / shape.K));
    const float score = dot(q, a.k + key, D) * a.scale, top = larger(score, max);
    const float reference = top == -INFINITY ? 0 : top, shrink = expf(max - reference);
    const float weight = expf(score - reference);
    sum = sum * shrink + weight;
    max = top;
#pragma unroll
    for (float& each : y) each *= shrink;
    add(y, weight, a.v + key, D);
  }
  store_vector(a.y + shape.query(b, t, h), D, y, sum == 0 ? 0 : 1 / sum);
  if (threadIdx.x % 32 == 0) a.lse[shape.row(b, h, t)] = sum == 0 ? -INFINITY : max + logf(sum);
}

template <class T>
__global__ void plain_query_gradients_kernel(Plain<T> a) {
  const AttentionShape& shape = a.shape;
  const int t = warp_index(), h = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z), D = shape.D;
  if (t >= shape.T) return;
  const KeyRows rows = rows_of(a, b, t);
  const int64_t query = shape.query(b, t, h), row = shape.row(b, h, t);
  float q[most_parts], dy[most_parts], dq[most_parts] = {};
  load_vector(a.q + query, D, q);
  load_vector(a.dy + query, D, dy);
  for (int s = rows.first; s <= rows.last; ++s) {
    const int64_t key = shape.key(b, s, h / (shape.H / shape.K));
    const float weight = expf(dot(q, a.k + key, D) * a.scale - a.lse[row]);
    add(dq, weight * (dot(dy, a.v + key, D) - a.delta[row]), a.k + key, D);
  }
  store_vector(a.dq + query, D, dq, a.scale);
}

template <class T>
__global__ void plain_key_gradients_kernel(Plain<T> a) {
  const AttentionShape& shape = a.shape;
  const int s = warp_index(), group = static_cast<int>(blockIdx.y), b = static_cast<int>(blockIdx.z), D = shape.D;
  if (s >= shape.S) return;
  const int64_t key = shape.key(b, s, group);
  const int heads = shape.H / shape.K;
  float k[most_parts], v[most_parts], dk[most_parts] = {}, dv[most_parts] = {};
  load_vector(a.k + key, D, k);
  load_vector(a.v + key, D, v);
  for (int h = group * heads; h < (group + 1) * heads; ++h)
    for (int t = 0; t < shape.T; ++t) {
      const int64_t at = int64_t{b} * shape.T + t;
      if (!clipped(a.first[at], a.last[at], shape.S).sees(s)) continue;
      const int64_t query = shape.query(b, t, h), row = shape.row(b, h, t);
      const float weight = expf(dot(k, a.q + query, D) * a.scale - a.lse[row]);
      add(dv, weight, a.dy + query, D);
      add(dk, weight * (dot(v, a.dy + query, D) - a.delta[row]), a.q + query, D);
    }
  store_vector(a.dk + key, D, dk, a.scale);
  store_vector(a.dv + key, D, dv, 1);
}

template <class Args>
void require_head(const char* op, const Args& a) {
  if (a.D > most_parts * 32)
    throw Error(Code::invalid_argument, op,
                "D: the CUDA device takes heads of up to " + std::to_string(most_parts * 32) + ", received " +
                    std::to_string(a.D));
}

Launch warp_each(int rows, int heads, int B) {
  return {
      dim3(static_cast<unsigned>((rows + warps - 1) / warps), static_cast<unsigned>(heads), static_cast<unsigned>(B)),
      dim3(warps * 32)};
}

}  // namespace

void plain_attention(Context& context, const attention_args& a) {
  require_head("attention", a);
  with_type(a.q.bf16, [&](auto zero) {
    using T = decltype(zero);
    Plain<T> plain{};
    plain.shape = shape_of(a);
    plain.q = data_of<T>(a.q);
    plain.k = data_of<T>(a.k);
    plain.v = data_of<T>(a.v);
    plain.first = a.first.i32();
    plain.last = a.last.i32();
    plain.y = data_of<T>(a.y);
    plain.lse = a.lse.f32();
    plain.scale = static_cast<float>(a.scale);
    plain.op = table::attention;
    plain.error = context.index_error();
    launch(context.stream(), "attention", plain_attention_kernel<T>,
           warp_each(plain.shape.T, plain.shape.H, plain.shape.B), plain);
  });
}

void plain_attention_backward(Context& context, const attention_backward_args& a, const float* delta) {
  require_head("attention_backward", a);
  with_type(a.q.bf16, [&](auto zero) {
    using T = decltype(zero);
    Plain<T> plain{};
    plain.shape = shape_of(a);
    plain.q = data_of<T>(a.q);
    plain.k = data_of<T>(a.k);
    plain.v = data_of<T>(a.v);
    plain.dy = data_of<T>(a.dy);
    plain.first = a.first.i32();
    plain.last = a.last.i32();
    plain.delta = delta;
    plain.dq = data_of<T>(a.dq);
    plain.dk = data_of<T>(a.dk);
    plain.dv = data_of<T>(a.dv);
    plain.lse = a.lse.f32();
    plain.scale = static_cast<float>(a.scale);
    plain.op = table::attention_backward;
    plain.error = context.index_error();
    launch(context.stream(), "attention_backward", plain_query_gradients_kernel<T>,
           warp_each(plain.shape.T, plain.shape.H, plain.shape.B), plain);
    launch(context.stream(), "attention_backward", plain_key_gradients_kernel<T>,
           warp_each(plain.shape.S, plain.shape.K, plain.shape.B), plain);
  });
}

}  // namespace lethe::cuda
