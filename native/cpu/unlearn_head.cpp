// The fused head and loss (docs/math.md, section 4). With u = 2 N D V FLOP: forget rows 3u (logits, dhidden, dweight),
// replay rows 4u with the original's logits. Logits [N, V] are never held at once: ignored rows are taken out first,
// the others go through in blocks of one kind (vector/unlearn_block.cpp). The original's product runs on replay rows
// that have an original only.
#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "core/environment.h"
#include "cpu/convert.h"
#include "cpu/operators.h"
#include "cpu/scratch.h"
#include "cpu/vector/kernels.h"

namespace lethe::cpu {
namespace {

// Bytes that are kept of a block's logits, the original's included. By default 288 rows with an original in bf16, 144
// in fp32, which takes 5% longer than 512 in a third of the memory; more where the vocabulary is small.
int64_t head_bytes(int64_t V) {
  static const int64_t bytes = environment_number("LETHE_HEAD_BYTES", 0);
  return bytes > 0 ? bytes : std::max(int64_t{32} << 20, 144 * 8 * V);
}

constexpr int64_t fewest = 64, most_rows = 1024, most_without_logits = 512;  // of a block

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
  explicit Head(const unlearn_head_args& args) : a(args), rows_(compact(a, scratch_)) {}

  void run() {
    clear_outputs();
    const int64_t first_original = rows_.count - rows_.num_original;
    run_kind(0, rows_.num_forget, true, false);
    run_kind(rows_.num_forget, first_original, false, false);
    run_kind(first_original, rows_.count, false, true);
    std::transform(sums_, sums_ + 8, a.sums.f32(), [](double x) { return static_cast<float>(x); });
  }

 private:
  // Ignored rows keep these zeros.
  void clear_outputs() const {
    if (a.dhidden && rows_.count < a.N) std::memset(a.dhidden.data, 0, a.dhidden.bytes);
    for (const Tensor& out : {a.nll, a.p, a.kl})
      if (out) std::fill_n(out.f32(), a.N, 0.0F);
  }

  // The rows begin to end, all of one kind, in blocks of nearly one size.
  void run_kind(int64_t begin, int64_t end, bool forget, bool original) {
    if (begin == end) return;
    const bool keeps = a.dhidden || a.dweight || original;
    const int64_t number = a.hidden.bf16 ? 2 : 4;
    const int64_t most =
        keeps ? std::clamp(head_bytes(a.V) / (a.V * number * (original ? 2 : 1)) / 16 * 16, fewest, most_rows)
              : most_without_logits;
    const int64_t blocks = (end - begin + most - 1) / most, size = (end - begin + blocks - 1) / blocks;
    for (; begin < end; begin += size) run_block(begin, std::min(size, end - begin), forget, original);
  }

  void run_block(int64_t begin, int64_t count, bool forget, bool original) {
    Scratch scratch;
    const int32_t* index = rows_.index + begin;
    const Tensor hidden = gather(a.hidden, index, count, 0, a.D, scratch);
    const Tensor original_hidden =
        original ? gather(a.original_hidden, index, count, a.N - a.M, a.D, scratch) : Tensor{};
    UnlearnBlock block;
    block.rows = count;
    block.D = a.D;
    block.V = a.V;
    block.weight = &a.weight;
    block.hidden = &hidden;
    if (original) {
      block.original_weight = &a.original_weight;
      block.original_hidden = &original_hidden;
    }
    block.targets = rows_.target + begin;
    int32_t* by_target = scratch.ints(count);
    std::iota(by_target, by_target + count, 0);
    std::sort(by_target, by_target + count,
              [&](int32_t x, int32_t y) { return std::pair(block.targets[x], x) < std::pair(block.targets[y], y); });
    block.by_target = by_target;
    block.forget = forget;
    block.method = forgetting_of(a);
    block.scale_forgetting = a.scale_forgetting;
    block.scale_replay = a.scale_replay;
    block.scale_mitigation = a.scale_mitigation;
    block.bf16 = a.hidden.bf16;
    block.m = scratch.doubles(count);
    block.kl = scratch.doubles(count);
    if (a.dhidden) block.dhidden = scratch.floats(count * dhidden_stride(a.D));
    if (a.dweight) block.dweight = a.dweight.f32();
    kernels().unlearn_block(block);
    collect(block, index);
  }

  // Adds the block's rows to the sums, in order, and writes what is asked for per row.
  void collect(const UnlearnBlock& block, const int32_t* index) {
    for (int64_t i = 0; i < block.rows; ++i) {
      const ForgetRow target = forget_row(block.m[i]);
      if (block.forget) {
        sums_[0] += forgetting_loss(block.method, target);
        sums_[3] += 1;
        sums_[5] += target.p;
        sums_[6] += forgetting_weight(block.method, target);
      } else {
        sums_[1] += target.nll;
        sums_[2] += block.kl[i];
        sums_[4] += 1;
      }
      const int32_t n = index[i];
      if (a.nll) a.nll.f32()[n] = static_cast<float>(target.nll);
      if (a.p) a.p.f32()[n] = static_cast<float>(target.p);
      if (a.kl) a.kl.f32()[n] = static_cast<float>(block.kl[i]);
      if (!block.dhidden) continue;
      const float* from = block.dhidden + i * dhidden_stride(a.D);
      const Tensor to = row(a.dhidden, n, a.D);
      if (to.bf16)
        kernels().to_bf16(from, to.halves(), a.D);
      else
        std::copy_n(from, a.D, to.f32());
    }
  }

  const unlearn_head_args& a;
  Scratch scratch_;
  Rows rows_;
  double sums_[8] = {};
};

}  // namespace

void unlearn_head(const unlearn_head_args& a) {
  check_ids("unlearn_head", "targets", a.targets.i32(), a.N, -1, a.V);
  Head(a).run();
}

}  // namespace lethe::cpu
