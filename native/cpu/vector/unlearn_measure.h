// Pass 1 of the fused head over slabs of the vocabulary (see unlearn_block.cpp): z^T = W h^T, its maxima over the slab,
// exponentials less these, their sums.
#pragma once
#include <math.h>
#include <omp.h>

#include "core/logistic.h"
#include "cpu/vector/unlearn_state.h"

namespace lethe::cpu::LETHE_ISA {

template <class Unit, class Kept>
class MeasurePass {
 public:
  explicit MeasurePass(UnlearnState<Unit, Kept>& state) : state_(state), b(state_.b), R(state_.R) {}

  void run() {
    Scratch scratch;
    const int64_t threads = omp_get_max_threads();
    float* left = scratch.floats(threads * slab_rows * left_stride_);
    allocate(state_.own, threads, scratch);
    if (state_.gaps) allocate(state_.original, threads, scratch);
    parallel_for_uneven(state_.is_large(), state_.slabs, [&](int64_t s) {
      const int64_t thread = omp_get_thread_num();
      float *rows = left + thread * slab_rows * left_stride_, *z = state_.own.z + thread * slab_rows * R;
      float* z0 = state_.gaps ? state_.original.z + thread * slab_rows * R : nullptr;
      make_logits(state_.own, s, rows, z);
      if (z0) make_logits(state_.original, s, rows, z0);
      keep(s, z, z0);
    });
    parallel_for(state_.slabs * R > 16384, parts_of(R, width), [&](int64_t i) {
      merge(state_.own, i * width);
      if (state_.gaps) merge(state_.original, i * width);
    });
  }

 private:
  static constexpr int64_t per_unit = Unit::per_unit;

  // Rows of weights as units, `left_stride_` apart.
  template <class E>
  void load_rows(const E* x, int64_t count, float* units) const {
    for (int64_t i = 0; i < count; ++i, x += b.D, units += left_stride_) {
      if constexpr (per_unit == 1) {
        each_vector(
            0, b.D, [&](int64_t d) { store(units + d, Unit::rounded(load(x + d))); },
            [&](int64_t d, int64_t n) { store_part(units + d, Unit::rounded(load_part(x + d, n)), n); });
      } else {
        auto* halves = reinterpret_cast<Bf16*>(units);
        each_vector(
            0, b.D, [&](int64_t d) { store(halves + d, load(x + d)); },
            [&](int64_t d, int64_t n) { store_part(halves + d, load_part(x + d, n), (n + 1) / 2 * 2); });
      }
    }
  }

  // What a model needs in pass 1 only.
  void allocate(Model& x, int64_t threads, Scratch& scratch) const {
    const PanelShape shape{b.D, b.rows, true};
    x.panels = scratch.floats(static_cast<int64_t>(shape.bytes(per_unit == 2) / 4));
    with_element(x.hidden->bf16, [&](auto e) { pack<Unit>(row_of<decltype(e)>(*x.hidden, 0, 0), shape, x.panels); });
    x.z = scratch.floats(threads * slab_rows * R);
    x.sums = scratch.floats(state_.slabs * R);
  }

  int64_t rows_of(int64_t slab) const { return smaller(slab_rows, b.V - slab * slab_rows); }

  // A slab's logits; those of the targets go to `target`, and -inf takes their place.
  void make_logits(const Model& x, int64_t s, float* left, float* z) const {
    const int64_t v = s * slab_rows, count = rows_of(s);
    const int64_t panel = PanelShape{b.D, b.rows, true}.depth(per_unit == 2) / per_unit * panel_columns;
    with_element(x.weight->bf16, [&](auto e) { load_rows(row_of<decltype(e)>(*x.weight, v, b.D), count, left); });
    for (int64_t j = 0; j * panel_columns < R; ++j)
      multiply<Unit>(count, smaller(panel_columns, R - j * panel_columns), units_, {left, left_stride_, 1},
                     {x.panels + j * panel, panel_columns}, {z + j * panel_columns, R}, false);
    state_.each_target(v, v + count, [&](int64_t r) {
      float& logit = z[(b.targets[r] - v) * R + r];
      x.target[r] = logit;
      logit = -__builtin_inff();
    });
  }

  // Column by column a slab's maxima, sums of exponentials and what pass 2 takes from it: e = exp(z - top), or with an
  // original the larger of e and e0, and what makes the other of it, (z0 - top0) - (z - top). Targets count 0.
  void keep(int64_t s, const float* z, const float* z0) const {
    const int64_t v = s * slab_rows, count = rows_of(s);
    float *tops = state_.own.tops + s * R, *sums = state_.own.sums + s * R;
    float *tops0 = z0 ? state_.original.tops + s * R : nullptr, *sums0 = z0 ? state_.original.sums + s * R : nullptr;
    auto *kept = state_.kept, *gaps = state_.gaps;
    find_tops(z, count, tops);
    if (z0) find_tops(z0, count, tops0);
    for (int64_t i = 0; i < count; i += 4)
      for (int64_t c = 0; c < R; c += width) {
        const Vec top = load(tops + c);
        Vec sum = i ? load(sums + c) : Vec{};
        const int64_t end = smaller(i + 4, count);
        if (!z0) {
          for (int64_t k = i; k < end; ++k) {
            const Vec e = exp_of_score(load(z + k * R + c) - top);
            sum = sum + e;
            if (kept) store(kept + (v + k) * R + c, e * Kept::one);
          }
          store(sums + c, sum);
          continue;
        }
        const Vec top0 = load(tops0 + c);
        Vec sum0 = i ? load(sums0 + c) : Vec{};
        for (int64_t k = i; k < end; ++k) {
          const Vec x = load(z + k * R + c) - top, x0 = load(z0 + k * R + c) - top0, gap = x0 - x;
          const Vec e = exp_of_score(x), e0 = exp_of_score(x0);
          sum = sum + e;
          sum0 = sum0 + e0;
          store(kept + (v + k) * R + c, (gap > 0 ? e0 : e) * Kept::one);
          store(gaps + (v + k) * R + c, Kept::clamped(gap));
        }
        store(sums + c, sum);
        store(sums0 + c, sum0);
      }
    state_.each_target(v, v + count, [&](int64_t r) {
      const int64_t i = b.targets[r] * R + r;
      if (kept) kept[i] = {};
      if (gaps) gaps[i] = {};
    });
  }

  void find_tops(const float* z, int64_t count, float* tops) const {
    for (int64_t c = 0; c < R; c += width) {
      Vec top = splat(lowest);
      for (int64_t i = 0; i < count; ++i) top = max(top, load(z + i * R + c));
      store(tops + c, top);
    }
  }

  // Of the rows c, c + 1, ...
  void merge(const Model& x, int64_t c) const {
    Vec top = splat(lowest);
    for (int64_t s = 0; s < state_.slabs; ++s) top = max(top, load(x.tops + s * R + c));
    double total[width] = {};
    for (int64_t begin = 0; begin < state_.slabs; begin += 32) {
      Vec sum = {};
      for (int64_t s = begin; s < smaller(begin + 32, state_.slabs); ++s)
        sum = sum + load(x.sums + s * R + c) * exp_of_score(load(x.tops + s * R + c) - top);
      for (int64_t i = 0; i < width; ++i) total[i] += static_cast<double>(sum[i]);
    }
    for (int64_t i = 0; i < width && c + i < b.rows; ++i) {
      const int64_t r = c + i;
      x.max[r] = top[i];
      x.log_sum[r] = ::log(total[i]);
      x.m[r] = static_cast<double>(x.target[r]) - static_cast<double>(top[i]) - x.log_sum[r];
      x.log_all[r] = x.log_sum[r] + softplus(x.m[r]);
    }
  }

  UnlearnState<Unit, Kept>& state_;
  const UnlearnBlock& b;
  const int64_t R, units_ = parts_of(b.D, per_unit), left_stride_ = left_stride_of(units_);
};

}  // namespace lethe::cpu::LETHE_ISA
