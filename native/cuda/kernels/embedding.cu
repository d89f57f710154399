// y[n] = weight[ids[n]]. weight [V, D], y [N, D]: one read and one write of N D numbers. An id outside [0, V) is
// reported, and its row is NaN.
#include "cuda/kernels/activation.h"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/table_index.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

template <class W, class T>
__global__ void embedding_kernel(const int32_t* ids, const W* weight, T* y, int64_t count, int64_t V, int64_t D,
                                 bool wide, IndexError* error) {
  const int64_t groups = (D + 7) / 8;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t n = i / groups, d = i % groups * 8;
    const int id = ids[n];
    float row[8];
    if (id >= 0 && id < V) {
      load_part(weight + id * D, d, D, wide, row);
    } else {
      report(error, table::embedding, IndexKind::ids, n, id, V);
      for (float& x : row) x = NAN;
    }
    store_part(y + n * D, d, D, wide, row);
  }
}

}  // namespace

void embedding(Context& context, const embedding_args& a) {
  const int64_t count = a.N * ((a.D + 7) / 8);
  const bool wide = a.D % 8 == 0 && are_aligned(a.weight.data, a.y.data);
  with_type(a.weight.bf16, [&](auto weight) {
    with_type(a.y.bf16, [&](auto activation) {
      using W = decltype(weight);
      using T = decltype(activation);
      launch(context.stream(), "embedding", embedding_kernel<W, T>, elementwise(count * 8), a.ids.i32(),
             data_of<W>(a.weight), data_of<T>(a.y), count, a.V, a.D, wide, context.index_error());
    });
  });
}

}  // namespace lethe::cuda
