// dweight[ids[n]] += dy[n], in row order. ids [N], dy [N, D], dweight [V, D].
// A first kernel notes the first row of each id; then the block of that row looks through the ids behind it for more of
// its own and adds those rows in order, so the result does not depend on which block runs when. dy is read once, each
// touched row of dweight read and written once; the ids are read once per distinct id, from cache.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/table_index.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int threads = 256, columns = threads * 8;

__global__ void first_rows_kernel(const int32_t* ids, int64_t N, int64_t V, int32_t* first, IndexError* error) {
  for (int64_t n = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; n < N; n += int64_t{gridDim.x} * blockDim.x) {
    const int id = ids[n];
    if (id >= 0 && id < V)
      atomicMin(first + id, static_cast<int>(n));
    else
      report(error, table::embedding_backward, IndexKind::ids, n, id, V);
  }
}

// Marks the ids that occur: every row writes the same number.
__global__ void clear_kernel(const int32_t* ids, int64_t N, int64_t V, int32_t* first) {
  for (int64_t n = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; n < N; n += int64_t{gridDim.x} * blockDim.x)
    if (ids[n] >= 0 && ids[n] < V) first[ids[n]] = INT32_MAX;
}

template <class T>
struct Scatter {
  const int32_t *ids, *first;
  const T* dy;
  float* dweight;
  int64_t N, V, D;
  bool wide;
};

template <class T>
__global__ void __launch_bounds__(threads) embedding_backward_kernel(Scatter<T> a) {
  __shared__ int32_t rows[threads];  // those of the current ids that are this block's, in order
  __shared__ int32_t counts[threads / 32];
  const int64_t mine = blockIdx.x;
  const int id = a.ids[mine];
  if (id < 0 || id >= a.V || a.first[id] != mine) return;  // the whole block
  const int64_t d = int64_t{blockIdx.y} * columns + threadIdx.x * 8;
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  float sum[8];
  load_part(a.dweight + id * a.D, d, a.D, a.wide, sum);
  for (int64_t begin = mine; begin < a.N; begin += threads) {
    const int64_t n = begin + threadIdx.x;
    const bool is_mine = n < a.N && a.ids[n] == id;
    const unsigned found = __ballot_sync(~0U, is_mine);
    if (lane == 0) counts[warp] = __popc(found);
    __syncthreads();
    int before = 0, total = 0;
    for (int w = 0; w < threads / 32; ++w) {
      if (w < warp) before += counts[w];
      total += counts[w];
    }
    if (is_mine) rows[before + __popc(found & ((1U << lane) - 1))] = static_cast<int32_t>(n);
    __syncthreads();
#pragma unroll 4
    for (int i = 0; i < total; ++i) {
      float dy[8];
      load_part(a.dy + rows[i] * a.D, d, a.D, a.wide, dy);
#pragma unroll
      for (int j = 0; j < 8; ++j) sum[j] += dy[j];
    }
    __syncthreads();
  }
  store_part(a.dweight + id * a.D, d, a.D, a.wide, sum);
}

}  // namespace

void embedding_backward(Context& context, const embedding_backward_args& a) {
  if (a.N == 0 || a.D == 0) return;
  Scratch scratch(context.workspace());
  auto* first = scratch.of<int32_t>(a.V);
  const dim3 some(static_cast<unsigned>((a.N + 255) / 256));
  launch(context.stream(), "embedding_backward", clear_kernel, {some, dim3(256)}, a.ids.i32(), a.N, a.V, first);
  launch(context.stream(), "embedding_backward", first_rows_kernel, {some, dim3(256)}, a.ids.i32(), a.N, a.V, first,
         context.index_error());
  with_type(a.dy.bf16, [&](auto zero) {
    using T = decltype(zero);
    const bool wide = a.D % 8 == 0 && are_aligned(a.dy.data, a.dweight.data);
    const Scatter<T> scatter{a.ids.i32(), first, data_of<T>(a.dy), a.dweight.f32(), a.N, a.V, a.D, wide};
    launch(context.stream(), "embedding_backward", embedding_backward_kernel<T>,
           {dim3(static_cast<unsigned>(a.N), static_cast<unsigned>((a.D + columns - 1) / columns)), dim3(threads)},
           scatter);
  });
}

}  // namespace lethe::cuda
