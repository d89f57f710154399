// Rotates the pairs (x[r], x[r + R]) of each head by the angle of the row's position: (a c - b s, b c + a s); inverse
// takes -s. x, y [N, H, 2R], cos and sin [P, R]: one read, one write; the tables stay in cache. y may be x: a thread
// reads both halves of its pairs before it writes them. A row whose position leaves [0, P) is reported and left alone.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/table_index.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class T>
struct Rotation {
  const T* x;
  const int32_t* positions;
  const float *cos, *sin;
  T* y;
  int64_t pairs, H, R, P;  // pairs: groups of eight of all rows
  float sign;
  bool wide;
  IndexError* error;
};

template <class T>
__global__ void rope_kernel(Rotation<T> a) {
  const int64_t groups = (a.R + 7) / 8;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < a.pairs; i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t r = i % groups * 8, head = i / groups, n = head / a.H;
    const int position = a.positions[n];
    if (position < 0 || position >= a.P) {
      report(a.error, table::rope, IndexKind::positions, n, position, a.P);
      continue;
    }
    float first[8], second[8], c[8], s[8];
    load_part(a.x + head * 2 * a.R, r, a.R, a.wide, first);
    load_part(a.x + head * 2 * a.R + a.R, r, a.R, a.wide, second);
    load_part(a.cos + position * a.R, r, a.R, a.wide, c);
    load_part(a.sin + position * a.R, r, a.R, a.wide, s);
#pragma unroll
    for (int j = 0; j < 8; ++j) {
      const float x = first[j], y = second[j], t = a.sign * s[j];
      first[j] = x * c[j] - y * t;
      second[j] = y * c[j] + x * t;
    }
    store_part(a.y + head * 2 * a.R, r, a.R, a.wide, first);
    store_part(a.y + head * 2 * a.R + a.R, r, a.R, a.wide, second);
  }
}

}  // namespace

void rope(Context& context, const rope_args& a) {
  const int64_t pairs = a.N * a.H * ((a.R + 7) / 8);
  with_type(a.x.bf16, [&](auto zero) {
    using T = decltype(zero);
    const bool wide = a.R % 8 == 0 && are_aligned(a.x.data, a.cos.data, a.sin.data, a.y.data);
    const Rotation<T> rotation{data_of<T>(a.x),
                               a.positions.i32(),
                               a.cos.f32(),
                               a.sin.f32(),
                               data_of<T>(a.y),
                               pairs,
                               a.H,
                               a.R,
                               a.P,
                               a.inverse ? -1.0F : 1.0F,
                               wide,
                               context.index_error()};
    launch(context.stream(), "rope", rope_kernel<T>, elementwise(pairs * 8), rotation);
  });
}

}  // namespace lethe::cuda
