// The fused head and loss (docs/math.md, section 4). With u = 2 N D V FLOP: forget rows 3u (logits, dhidden, dweight),
// replay rows 4u with the original's logits. Logits [N, V] are never held at once: valid rows go through in chunks of a
// byte budget, and between the products one pass turns logits into dz (unlearn_rows.cu). dweight [V, D] is added to in
// fp32 by the product itself (beta = 1).
// Hazard: the precision of the logits. In bf16 they would ruin the KL term. So, for bf16 activations:
//   by default   hidden states and weights in fp16, logits in fp16 less c_n = z of the row's target, which the product
//                itself subtracts: hidden states have one more column, -c_n, and the weight one more, 1. A constant of
//                a row changes no softmax, and logits near the target's keep most digits. dz is fp16 times 2^s.
//   fp32 logits  (LETHE_HEAD_LOGITS=fp32) bf16 products into fp32 logits, dz in bf16: exact, twice the traffic.
// fp32 activations use fp32 throughout.
#include <algorithm>
#include <cmath>
#include <vector>

#include "cuda/kernels/activation.h"
#include "cuda/kernels/block_reduce.cuh"
#include "cuda/kernels/operators.h"
#include "cuda/kernels/unlearn_rows.h"
#include "cuda/kernels/vector8.cuh"
#include "cuda/runtime/context.h"

namespace lethe::cuda {
namespace {

constexpr int64_t row_tile = 128;  // chunks are multiples of it: rows that a tile of a matrix product takes anyway

// to[v] = (weight[v], 1, 0, ...), rows of `stride`.
template <class W>
__global__ void centred_weight_kernel(const W* weight, Half* to, int64_t groups, int64_t D, int64_t stride, bool wide) {
  const int64_t per_row = stride / 8;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < groups; i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t v = i / per_row, d = i % per_row * 8;
    float x[8];
    load_part(weight + v * D, d, D, wide, x);
#pragma unroll
    for (int j = 0; j < 8; ++j)
      if (d + j == D) x[j] = 1;
    store8(to + v * stride + d, x);
  }
}

// to[i] = (hidden[n], -c, 0, ...), c = hidden[n] weight[target], n = index[i] - shift. One block per row.
template <class T>
struct CentredRows {
  const T* hidden;
  const Half* weight;
  const int32_t *index, *targets;  // index nullptr: i itself
  Half* to;
  int64_t begin, shift, D, stride, V;
  bool wide;
};

template <class T>
__global__ void centred_rows_kernel(CentredRows<T> a) {
  __shared__ float partial[32];
  const int64_t i = blockIdx.x, n = (a.index ? a.index[a.begin + i] : a.begin + i) - a.shift;
  const int y = a.targets[a.begin + i];
  const bool is_valid = y >= 0 && y < a.V;
  float dot = 0;
  for (int64_t d = threadIdx.x * 8; d < a.D; d += blockDim.x * 8) {
    float h[8], w[8] = {};
    load_part(a.hidden + n * a.D, d, a.D, a.wide, h);
    if (is_valid) load8(a.weight + y * a.stride + d, w);
#pragma unroll
    for (int j = 0; j < 8; ++j) dot += d + j < a.D ? h[j] * w[j] : 0;
  }
  dot = block_sum(dot, partial);
  for (int64_t d = threadIdx.x * 8; d < a.stride; d += blockDim.x * 8) {
    float h[8];
    load_part(a.hidden + n * a.D, d, a.D, a.wide, h);
#pragma unroll
    for (int j = 0; j < 8; ++j)
      if (d + j == a.D) h[j] = -dot;
    store8(a.to + i * a.stride + d, h);
  }
}

// to[i] = hidden[index[begin + i] - shift], as it is.
template <class T>
__global__ void gather_kernel(const T* hidden, const int32_t* index, int64_t begin, int64_t shift, int64_t D, T* to,
                              int64_t count) {
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count; i += int64_t{gridDim.x} * blockDim.x)
    to[i] = hidden[(index[begin + i / D] - shift) * D + i % D];
}

// dhidden[index[begin + i]] = rows[i].
template <class T>
__global__ void scatter_kernel(const float* rows, const int32_t* index, int64_t begin, int64_t D, T* dhidden,
                               int64_t count, bool wide) {
  const int64_t per_row = (D + 7) / 8;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < count * per_row;
       i += int64_t{gridDim.x} * blockDim.x) {
    const int64_t r = i / per_row, d = i % per_row * 8;
    float x[8];
    load_part(rows + r * D, d, D, wide, x);
    store_part(dhidden + (index ? index[begin + r] : begin + r) * D, d, D, wide, x);
  }
}

struct Collected {
  const double *m, *kl;
  const int32_t *index, *targets;
  int64_t count, num_forget;
  Forgetting method;
  float *sums, *nll, *p, *divergence;
};

// The sums over rows in order, and what is asked for per row. One block: N numbers.
__global__ void __launch_bounds__(512) collect_kernel(Collected a) {
  __shared__ double partial[32];
  double sums[7] = {};
  for (int64_t i = threadIdx.x; i < a.count; i += blockDim.x) {
    const bool is_valid = a.targets[i] >= 0;
    const ForgetRow row = forget_row(a.m[i]);
    if (is_valid && i < a.num_forget) {
      sums[0] += forgetting_loss(a.method, row);
      sums[3] += 1;
      sums[5] += row.p;
      sums[6] += forgetting_weight(a.method, row);
    } else if (is_valid) {
      sums[1] += row.nll;
      sums[2] += a.kl[i];
      sums[4] += 1;
    }
    const int64_t n = a.index ? a.index[i] : i;
    if (a.nll) a.nll[n] = is_valid ? static_cast<float>(row.nll) : 0;
    if (a.p) a.p[n] = is_valid ? static_cast<float>(row.p) : 0;
    if (a.divergence) a.divergence[n] = is_valid ? static_cast<float>(a.kl[i]) : 0;
  }
  for (int k = 0; k < 7; ++k) {
    const double total = block_sum(sums[k], partial);
    if (threadIdx.x == 0) a.sums[k] = static_cast<float>(total);
    __syncthreads();
  }
  if (threadIdx.x == 0) a.sums[7] = 0;
}

// The valid rows, in order: forget rows, then replay rows; those with an original are last.
struct Rows {
  const int32_t *index = nullptr, *targets = nullptr;  // on the device; index nullptr: all rows, in place
  int64_t count = 0, num_forget = 0, num_original = 0;
};

// Takes the ignored rows out, on the host: from what it wrote there itself where that is known, else it waits for the
// device. While a graph is recorded it can do neither, and all rows stay.
Rows compact(Context& context, const unlearn_head_args& a, Scratch& scratch) {
  Rows rows{nullptr, a.targets.i32(), a.N, a.num_forget, a.original_hidden ? std::min(a.M, a.N - a.num_forget) : 0};
  if (context.is_capturing() || a.N == 0) return rows;
  std::vector<int32_t> read;
  const int32_t* targets = context.host_copies().find(a.targets.data, a.targets.bytes);
  if (!targets) {
    read.resize(static_cast<size_t>(a.N));
    context.read(read.data(), a.targets.data, read.size() * 4);
    targets = read.data();
  }
  std::vector<int32_t> index, valid;
  rows.num_forget = rows.num_original = 0;
  for (int64_t n = 0; n < a.N; ++n) {
    if (targets[n] < -1 || targets[n] >= a.V)
      throw Error(Code::invalid_argument, "unlearn_head",
                  "targets[" + std::to_string(n) + "]: expected an index in [-1, " + std::to_string(a.V) +
                      "), received " + std::to_string(targets[n]));
    if (targets[n] < 0) continue;
    index.push_back(static_cast<int32_t>(n));
    valid.push_back(targets[n]);
    if (n < a.num_forget)
      ++rows.num_forget;
    else if (a.original_hidden && n >= a.N - a.M)
      ++rows.num_original;
  }
  rows.count = static_cast<int64_t>(index.size());
  if (rows.count == a.N || rows.count == 0) return rows;
  const auto upload = [&](const std::vector<int32_t>& list) {
    auto* to = scratch.of<int32_t>(rows.count);
    context.upload(to, list.data(), list.size() * 4);
    return to;
  };
  rows.index = upload(index);
  rows.targets = upload(valid);
  return rows;
}

class Head {
 public:
  Head(Context& context, const unlearn_head_args& args)
      : context_(context), a(args), scratch_(context.workspace()), rows_(compact(context, args, scratch_)) {
    is_half_ = a.hidden.bf16 && !context.settings().fp32_logits;
    in_ = is_half_ ? Type::f16 : a.hidden.bf16 ? Type::bf16 : Type::f32;
    logits_ = is_half_ ? Type::f16 : Type::f32;
    width_ = is_half_ ? (a.D + 8) / 8 * 8 : a.D;  // at least one more column
    stride_ = (a.V + 7) / 8 * 8;
    if (is_half_) exponent_ = gradient_exponent(a.scale_forgetting, a.scale_replay, a.scale_mitigation);
    gradient_ = (a.dhidden || a.dweight) && rows_.count > 0;
  }

  void run() {
    clear_ignored();
    m_ = scratch_.of<double>(rows_.count);
    kl_ = scratch_.of<double>(rows_.count);
    if (rows_.count > 0) {
      weight_ = weight_operand(a.weight);
      if (rows_.num_original) original_weight_ = weight_operand(a.original_weight);
      allocate_chunk();
      for (int64_t begin = 0; begin < rows_.count; begin += chunk_)
        run_chunk(begin, std::min(rows_.count, begin + chunk_));
    }
    const Collected collected{
        m_,           kl_,         rows_.index, rows_.targets, rows_.count, rows_.num_forget, forgetting_of(a),
        a.sums.f32(), a.nll.f32(), a.p.f32(),   a.kl.f32()};
    launch(context_.stream(), "unlearn_head", collect_kernel, {dim3(1), dim3(512)}, collected);
  }

 private:
  void clear_ignored() const {
    if (rows_.count == a.N) return;
    for (const Tensor& out : {a.dhidden, a.nll, a.p, a.kl})
      if (out) context_.zero(out.data, out.bytes);
  }

  const void* weight_operand(const Tensor& weight) {
    if (in_ == Type::f32) return fp32_weight(context_, weight, a.V * a.D, scratch_);
    if (in_ == Type::bf16) return bf16_weight(context_, weight, a.V * a.D, scratch_);
    const auto bytes = static_cast<size_t>(a.V * width_) * 2;
    if (weight.buffer == 0) {
      auto* copy = scratch_.of<Half>(a.V * width_);
      fill_centred(weight, copy);
      return copy;
    }
    const KeptCopies::Copy copy = context_.copies().of(weight, CopyKind::centred, bytes);
    if (!copy.is_current) fill_centred(weight, static_cast<Half*>(copy.data));
    return copy.data;
  }

  void fill_centred(const Tensor& weight, Half* to) const {
    const int64_t groups = a.V * (width_ / 8);
    with_type(weight.bf16, [&](auto zero) {
      using W = decltype(zero);
      launch(context_.stream(), "unlearn_head", centred_weight_kernel<W>, elementwise(groups * 8), data_of<W>(weight),
             to, groups, a.D, width_, a.D % 8 == 0 && is_aligned(weight.data));
    });
  }

  // Chunks of nearly one size: few kinds of product, no tiny last one.
  void allocate_chunk() {
    const int64_t per_row = stride_ * (size_of(logits_) * (rows_.num_original ? 2 : 1) + (in_ == Type::bf16 ? 2 : 0));
    const int64_t most = std::max(row_tile, context_.settings().head_bytes / per_row / row_tile * row_tile);
    const int64_t chunks = (rows_.count + most - 1) / most;
    chunk_ = (rows_.count + chunks - 1) / chunks;
    if (chunks > 1) chunk_ = std::min(most, (chunk_ + row_tile - 1) / row_tile * row_tile);
    const auto bytes = [&](int64_t elements, Type type) { return scratch_.of<char>(elements * size_of(type)); };
    z_ = bytes(chunk_ * stride_, logits_);
    if (rows_.num_original) z0_ = bytes(std::min(chunk_, rows_.num_original) * stride_, logits_);
    dz_ = !gradient_ ? nullptr : in_ == Type::bf16 ? bytes(chunk_ * stride_, Type::bf16) : z_;
    if (is_half_ || rows_.index) hidden_ = bytes(chunk_ * width_, in_);
    if (rows_.num_original && (is_half_ || rows_.index))
      original_hidden_ = bytes(std::min(chunk_, rows_.num_original) * width_, in_);
    if (a.dhidden && gradient_) dhidden_ = scratch_.of<float>(chunk_ * a.D);
  }

  // Rows begin .. begin + count of the valid ones, less `shift`, as an operand [count, width].
  Matrix rows_of(const Tensor& x, int64_t begin, int64_t count, int64_t shift, void* to, const void* weight) const {
    if (!is_half_ && !rows_.index)
      return {static_cast<const char*>(x.data) + (begin - shift) * a.D * size_of(in_), a.D, in_};
    with_type(x.bf16, [&](auto zero) {
      using T = decltype(zero);
      const auto* hidden = data_of<T>(x);
      if (!is_half_)
        return launch(context_.stream(), "unlearn_head", gather_kernel<T>, elementwise(count * a.D * 8), hidden,
                      rows_.index, begin, shift, a.D, static_cast<T*>(to), count * a.D);
      const CentredRows<T> centred{hidden,
                                   static_cast<const Half*>(weight),
                                   rows_.index,
                                   rows_.targets,
                                   static_cast<Half*>(to),
                                   begin,
                                   shift,
                                   a.D,
                                   width_,
                                   a.V,
                                   a.D % 8 == 0 && is_aligned(x.data)};
      launch(context_.stream(), "unlearn_head", centred_rows_kernel<T>, {dim3(static_cast<unsigned>(count)), dim3(128)},
             centred);
    });
    return {to, width_, in_};
  }

  void run_chunk(int64_t begin, int64_t end) {
    const int64_t count = end - begin, original_begin = std::max(begin, rows_.count - rows_.num_original);
    const int64_t num_original = std::max<int64_t>(0, end - original_begin);
    const Matrix hidden = rows_of(a.hidden, begin, count, 0, hidden_, weight_);
    gemm(context_, "unlearn_head", {count, a.V, width_}, hidden, Matrix{weight_, width_, in_}.t(),
         {z_, stride_, logits_});
    if (num_original) {
      const Matrix original =
          rows_of(a.original_hidden, original_begin, num_original, a.N - a.M, original_hidden_, original_weight_);
      gemm(context_, "unlearn_head", {num_original, a.V, width_}, original, Matrix{original_weight_, width_, in_}.t(),
           {z0_, stride_, logits_});
    }
    RowPass pass;
    pass.z = z_;
    pass.z0 = num_original ? z0_ : nullptr;
    pass.dz = dz_;
    pass.stride = stride_;
    pass.count = count;
    pass.V = a.V;
    pass.num_forget = std::clamp<int64_t>(rows_.num_forget - begin, 0, count);
    pass.first_original = num_original ? original_begin - begin : count;
    pass.targets = rows_.targets + begin;
    const auto scaled = [&](double scale) { return static_cast<float>(std::ldexp(scale, exponent_)); };
    pass.scales = {scaled(a.scale_forgetting), scaled(a.scale_replay), scaled(a.scale_mitigation)};
    pass.method = forgetting_of(a);
    pass.m = m_ + begin;
    pass.kl = kl_ + begin;
    const Type dz_type = in_ == Type::bf16 ? Type::bf16 : logits_;
    unlearn_rows(context_, pass, logits_, dz_type);
    if (gradient_) gradients(begin, count, hidden, {dz_, stride_, dz_type});
  }

  void gradients(int64_t begin, int64_t count, const Matrix& hidden, const Matrix& dz) {
    const auto undo = static_cast<float>(std::ldexp(1.0, -exponent_));
    if (a.dweight)
      gemm(context_, "unlearn_head", {a.V, a.D, count, undo, 1}, dz.t(), hidden, {a.dweight.data, a.D, Type::f32});
    if (!a.dhidden) return;
    gemm(context_, "unlearn_head", {count, a.D, a.V, undo, 0}, dz, {weight_, width_, in_}, {dhidden_, a.D, Type::f32});
    with_type(a.dhidden.bf16, [&](auto zero) {
      using T = decltype(zero);
      launch(context_.stream(), "unlearn_head", scatter_kernel<T>, elementwise(count * ((a.D + 7) / 8) * 8), dhidden_,
             rows_.index, begin, a.D, data_of<T>(a.dhidden), count, a.D % 8 == 0 && is_aligned(a.dhidden.data));
    });
  }

  Context& context_;
  const unlearn_head_args& a;
  Scratch scratch_;
  Rows rows_;
  bool is_half_ = false, gradient_ = false;
  Type in_ = Type::f32, logits_ = Type::f32;
  int64_t width_ = 0, stride_ = 0, chunk_ = 0;
  int exponent_ = 0;
  const void *weight_ = nullptr, *original_weight_ = nullptr;
  char *z_ = nullptr, *z0_ = nullptr, *dz_ = nullptr, *hidden_ = nullptr, *original_hidden_ = nullptr;
  float* dhidden_ = nullptr;
  double *m_ = nullptr, *kl_ = nullptr;
};

}  // namespace

void unlearn_head(Context& context, const unlearn_head_args& a) { Head(context, a).run(); }

}  // namespace lethe::cuda
