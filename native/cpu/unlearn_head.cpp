// The fused head and loss (docs/math.md, section 4). With u = 2 N D V FLOP: forget rows 3u (logits, dhidden, dweight),
// replay rows 4u with the original's logits. Logits [N, V] are never held at once. Ignored rows are taken out first;
// the others go through in blocks, whose dz is held for the products that make dhidden and dweight, and a block's
// logits in chunks that stay in cache between the product that makes them and the pass that turns them into losses and
// dz (vector/unlearn_rows.cpp). The original's product runs on replay rows that have an original only.
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <exception>

#include "core/check.h"
#include "core/environment.h"
#include "cpu/convert.h"
#include "cpu/kept_panels.h"
#include "cpu/operators.h"
#include "cpu/parallel.h"
#include "cpu/runtime.h"
#include "cpu/vector/kernels.h"
#include "cpu/weight_gradient.h"

namespace lethe::cpu {
namespace {

// Bytes of a block's logits, the original's included. In fp32 a block is one chunk, because weights are not packed and
// every product would pack them again. In bf16 a block's dz takes a quarter of it, and the logits of a thread's chunk a
// sixteenth.
int64_t head_bytes() {
  static const int64_t bytes = environment_number("LETHE_HEAD_BYTES", int64_t{128} << 20);
  return bytes;
}

constexpr int64_t min_block = 256, min_chunk = 64,
                  min_fp32 = 128;  // rows: with fewer, products run far below their peak

// `total` rows in parts of nearly one size: few primitives, no tiny last product.
int64_t part_size(int64_t total, int64_t most) {
  const int64_t parts = std::max<int64_t>(1, (total + most - 1) / most);
  return (total + parts - 1) / parts;
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }
double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The valid rows, in order: forget rows, then replay rows; those with an original are last.
struct Rows {
  int32_t *index, *target;
  int64_t count = 0, num_forget = 0, num_original = 0;
};

Rows compact(const unlearn_head_args& a, Scratch& scratch) {
  Rows rows{scratch.ints(a.N), scratch.ints(a.N)};
  for (int64_t n = 0; n < a.N; ++n) {
    if (a.targets.i32()[n] < 0) continue;
    rows.index[rows.count] = static_cast<int32_t>(n);
    rows.target[rows.count++] = a.targets.i32()[n];
    if (n < a.num_forget)
      ++rows.num_forget;
    else if (n >= a.N - a.M)
      ++rows.num_original;
  }
  return rows;
}

// Rows `index[0..count)` of x [., D], less `shift`, as one dense matrix; x itself where they are neighbours already.
Tensor gather(const Tensor& x, const int32_t* index, int64_t count, int64_t shift, int64_t D, Scratch& scratch) {
  if (count > 0 && index[count - 1] - index[0] == count - 1) return row(x, index[0] - shift, D);
  Tensor dense;
  dense.bf16 = x.bf16;
  dense.data = scratch.bytes(static_cast<size_t>(count * D) * (x.bf16 ? 2 : 4));
  for (int64_t i = 0; i < count; ++i) copy(row(x, index[i] - shift, D), row(dense, i, D), D);
  return dense;
}

class Head {
 public:
  explicit Head(const unlearn_head_args& args)
      : a(args), rows_(compact(a, scratch_)), bf16_(a.hidden.bf16), has_gradient_(a.dhidden || a.dweight) {
    weight_ = weight_operand(a.weight, {a.V, a.D, rows_.count, true, bf16_, true}, scratch_);
    if (rows_.num_original)
      original_weight_ = weight_operand(a.original_weight, {a.V, a.D, rows_.count, true, bf16_, true}, scratch_);
    size_parts();
    const int64_t workers = chunk_ < block_ ? std::min<int64_t>(num_threads(), (block_ + chunk_ - 1) / chunk_) : 1;
    const bool halves = weight_.bf16;
    if (has_gradient_) dz_ = scratch_.bytes(static_cast<size_t>(block_ * a.V) * (halves ? 2 : 4));
    if (!has_gradient_ || halves) z_ = scratch_.floats(workers * chunk_ * a.V);
    if (rows_.num_original) original_z_ = scratch_.floats(workers * chunk_ * a.V);
    m_ = scratch_.doubles(block_);
    kl_ = scratch_.doubles(block_);
  }

  void run() {
    clear_outputs();
    for (int64_t begin = 0; begin < rows_.count; begin += block_)
      run_block(begin, std::min(rows_.count, begin + block_));
    std::transform(sums_, sums_ + 8, a.sums.f32(), [](double x) { return static_cast<float>(x); });
  }

 private:
  // Ignored rows keep these zeros.
  void clear_outputs() const {
    if (a.dhidden && rows_.count < a.N) std::memset(a.dhidden.data, 0, a.dhidden.bytes);
    for (const Tensor& out : {a.nll, a.p, a.kl})
      if (out) std::fill_n(out.f32(), a.N, 0.0F);
  }

  void size_parts() {
    const int64_t logits = a.V * 4;
    if (!weight_.panels) {
      const int64_t most = std::max(min_fp32, head_bytes() / (logits * (rows_.num_original ? 2 : 1)));
      block_ = chunk_ = part_size(rows_.count, most);
      return;
    }
    block_ = part_size(rows_.count, std::max(min_block, head_bytes() / 4 / (a.V * (weight_.bf16 ? 2 : 4))));
    const int64_t share = (block_ + num_threads() - 1) / num_threads();
    chunk_ = part_size(block_, std::max(min_chunk, std::min(share, head_bytes() / 16 / logits)));
  }

  // Threads take a block's chunks as they come: their products and passes need nothing of each other.
  void run_block(int64_t begin, int64_t end) {
    Scratch scratch;
    const Tensor dense = gather(a.hidden, rows_.index + begin, end - begin, 0, a.D, scratch);
    const Operand hidden = operand(dense, end - begin, a.D, bf16_, scratch);
    std::exception_ptr failure;
    parallel_for_uneven(chunk_ < end - begin, (end - begin + chunk_ - 1) / chunk_, [&](int64_t i) {
      const int64_t from = begin + i * chunk_;
      try {
        run_chunk({begin, from, std::min(end, from + chunk_)}, hidden.from(from - begin));
      } catch (...) {
#pragma omp critical
        failure = std::current_exception();
      }
    });
    if (failure) std::rethrow_exception(failure);
    collect(begin, end - begin);
    if (has_gradient_) gradients(begin, end - begin, hidden, scratch);
  }

  // The rows begin to end, in the block that starts at `block`.
  struct Chunk {
    int64_t block, begin, end;
  };

  // Losses of a chunk's rows, and their dz.
  void run_chunk(const Chunk& chunk, const Operand& hidden) {
    const int64_t count = chunk.end - chunk.begin, first_original = rows_.count - rows_.num_original;
    const int64_t original_begin = std::max(chunk.begin, first_original), at = chunk.begin - chunk.block;
    const int64_t worker = omp_get_thread_num() * chunk_ * a.V;
    UnlearnRows pass;
    pass.count = count;
    pass.num_forget = std::clamp<int64_t>(rows_.num_forget - chunk.begin, 0, count);
    pass.num_original = std::max<int64_t>(0, chunk.end - original_begin);
    pass.V = a.V;
    pass.bf16 = weight_.bf16;
    if (has_gradient_) pass.dz = static_cast<char*>(dz_) + at * a.V * (pass.bf16 ? 2 : 4);
    pass.z = z_ ? z_ + worker : static_cast<float*>(pass.dz);  // fp32: dz takes the place of the logits
    pass.original = pass.num_original ? original_z_ + worker : nullptr;
    pass.targets = rows_.target + chunk.begin;
    pass.scale_forgetting = a.scale_forgetting;
    pass.scale_replay = a.scale_replay;
    pass.scale_mitigation = a.scale_mitigation;
    pass.method = a.method;
    pass.m = m_ + at;
    pass.kl = kl_ + at;
    gemm({count, a.V, a.D}, hidden, weight_, {pass.z, a.V});
    if (pass.num_original) original_logits(original_begin, pass.num_original, pass.original);
    kernels().unlearn_rows(pass);
  }

  void original_logits(int64_t begin, int64_t count, float* z) {
    Scratch scratch;
    const Tensor dense = gather(a.original_hidden, rows_.index + begin, count, a.N - a.M, a.D, scratch);
    const Operand hidden = operand(dense, count, a.D, bf16_, scratch);
    gemm({count, a.V, a.D}, hidden, original_weight_, {z, a.V});
  }

  // Adds the block's rows to the sums, in order, and writes what is asked for per row.
  void collect(int64_t begin, int64_t count) {
    const int64_t num_forget = rows_.num_forget - begin;
    for (int64_t i = 0; i < count; ++i) {
      const double m = m_[i], nll = softplus(-m), p = sigmoid(m);
      if (i < num_forget) {
        sums_[0] += a.method == 0 ? softplus(m) : -nll;
        sums_[3] += 1;
        sums_[5] += p;
        sums_[6] += a.method == 0 ? p : sigmoid(-m);
      } else {
        sums_[1] += nll;
        sums_[2] += kl_[i];
        sums_[4] += 1;
      }
      const int32_t n = rows_.index[begin + i];
      if (a.nll) a.nll.f32()[n] = static_cast<float>(nll);
      if (a.p) a.p.f32()[n] = static_cast<float>(p);
      if (a.kl) a.kl.f32()[n] = static_cast<float>(kl_[i]);
    }
  }

  void gradients(int64_t begin, int64_t count, const Operand& hidden, Scratch& scratch) {
    auto* floats = static_cast<float*>(dz_);
    if (bf16_ && !weight_.bf16) kernels().round_to_bf16(floats, floats, count * a.V);  // emulated
    const Operand dz{dz_, a.V, false, weight_.bf16};
    if (a.dweight) add_weight_gradient(count, {a.V, a.D}, dz, hidden, a.dweight.f32());
    if (!a.dhidden) return;
    const Operand weight = weight_operand(a.weight, {a.V, a.D, count, false, bf16_, true}, scratch);
    const int32_t* index = rows_.index + begin;
    if (index[count - 1] - index[0] == count - 1)
      return gemm({count, a.D, a.V}, dz, weight, result(row(a.dhidden, index[0], a.D), a.D));
    Tensor dense;
    dense.bf16 = bf16_;
    dense.data = scratch.bytes(static_cast<size_t>(count * a.D) * (bf16_ ? 2 : 4));
    gemm({count, a.D, a.V}, dz, weight, result(dense, a.D));
    for (int64_t i = 0; i < count; ++i) copy(row(dense, i, a.D), row(a.dhidden, index[i], a.D), a.D);
  }

  const unlearn_head_args& a;
  Scratch scratch_;
  Rows rows_;
  bool bf16_, has_gradient_;
  Operand weight_, original_weight_;  // for logits
  int64_t block_ = 0, chunk_ = 0;
  void* dz_ = nullptr;
  float *z_ = nullptr, *original_z_ = nullptr;
  double *m_ = nullptr, *kl_ = nullptr, sums_[8] = {};
};

}  // namespace

void unlearn_head(const unlearn_head_args& a) {
  check_ids("unlearn_head", "targets", a.targets.i32(), a.N, -1, a.V);
  Head(a).run();
}

}  // namespace lethe::cpu
