// Pass 2 of the fused head over chunks of the vocabulary (see unlearn_block.cpp): dz^T from the exponentials,
// dW += dz^T h, dh += dz W.
#pragma once
#include <math.h>
#include <omp.h>

#include "core/forgetting.h"
#include "cpu/vector/unlearn_state.h"

namespace lethe::cpu::LETHE_ISA {

inline constexpr int64_t chunk_slabs = 12;  // 576 rows of the vocabulary per pass over dh
inline constexpr int64_t chunk_rows = chunk_slabs * slab_rows;

// exp(-d) - 1 + d, the Taylor series for |d| < 0.5.
LETHE_INLINE Vec excess_series(Vec d) {
  Vec s = splat(-1.0f / 362880);
  s = s * d + 1.0f / 40320;
  s = s * d - 1.0f / 5040;
  s = s * d + 1.0f / 720;
  s = s * d - 1.0f / 120;
  s = s * d + 1.0f / 24;
  s = s * d - 1.0f / 6;
  s = s * d + 0.5f;
  return s * (d * d);
}

// What pass 2 takes from a row, one number per lane; `original` ones where the rows have an original.
struct Lanes {
  float *max, *offset, *factor, *original_max, *original_offset;
};

template <class Unit, class Kept>
class DifferentiatePass {
  using Number = typename Kept::Number;

 public:
  explicit DifferentiatePass(const UnlearnState<Unit, Kept>& state) : state_(state), b(state_.b), R(state_.R) {}

  // Chunk by chunk its slabs' dz and dW, then dh of the chunk before: nobody waits for the last slab of a chunk.
  void run() {
    Scratch scratch;
    Gradient g;
    g.lanes = {scratch.floats(R), scratch.floats(R), scratch.floats(R), scratch.floats(R), scratch.floats(R)};
    g.target_dz = scratch.floats(b.rows);
    prepare(g.lanes, g.target_dz);
    const int64_t along = chunk_rows * dz_stride_, across = chunk_rows / per_unit * turned_stride_;
    g.scales = scratch.floats(omp_get_max_threads() * 3 * R);
    if (state_.gaps) g.kl = scratch.floats(state_.slabs * R);
    if (b.dhidden || b.dweight) {
      g.dz = scratch.floats(2 * along);
      g.turned = per_unit == 1 ? g.dz : scratch.floats(2 * across);
    }
    if (b.dweight) {
      const PanelShape shape{b.rows, b.D, false};
      g.hidden = scratch.floats(static_cast<int64_t>(shape.bytes(per_unit == 2) / 4));
      g.panel = shape.depth(per_unit == 2) / per_unit * panel_columns;
      with_element(b.hidden->bf16, [&](auto e) { pack<Unit>(row_of<decltype(e)>(*b.hidden, 0, 0), shape, g.hidden); });
    }
    if (b.dhidden) {
      g.weight_panels = scratch.floats(omp_get_max_threads() * panel_size);
      for (int64_t i = 0; i < b.rows * dhidden_stride(b.D); ++i) b.dhidden[i] = 0;
    }
    const int64_t chunks = parts_of(b.V, chunk_rows), parts = b.dhidden ? dhidden_parts() : 0;
    auto* made = static_cast<Completed*>(scratch.bytes(static_cast<size_t>(chunks) * sizeof(Completed)));
    for (int64_t i = 0; i < chunks; ++i) made[i] = {};
    Completed added;
    parallel_in_order(state_.is_large(), (chunks + 1) * (chunk_slabs + parts), [&](int64_t i) {
      int64_t chunk = i / (chunk_slabs + parts);
      const int64_t slab = i % (chunk_slabs + parts), part = slab - chunk_slabs;
      if (part < 0) {
        const int64_t v = chunk * chunk_rows + slab * slab_rows;
        if (v >= b.V) return;
        added.wait_for((chunk - 1) * parts);  // dz of two chunks before is no longer read
        differentiate_slab(g, v, g.dz + chunk % 2 * along, g.turned + chunk % 2 * across);
        made[chunk].add();
      } else if (--chunk >= 0) {
        made[chunk].wait_for(parts_of(smaller(chunk_rows, b.V - chunk * chunk_rows), slab_rows));
        added.wait_for(chunk * parts);
        add_to_dhidden(g, part, chunk * chunk_rows, g.turned + chunk % 2 * across);
        added.add();
      }
    });
    for (int64_t r = 0; g.kl && r < b.rows; ++r)
      for (int64_t s = 0; s < state_.slabs; ++s) b.kl[r] += static_cast<double>(g.kl[s * R + r]);
  }

 private:
  static constexpr int64_t per_unit = Unit::per_unit;
  static constexpr int64_t panel_size = chunk_rows / per_unit * panel_columns;

  // What pass 2 needs of every row, and dz of the targets. KL's part of the targets.
  void prepare(const Lanes& lanes, float* target_dz) const {
    for (int64_t r = 0; r < R; ++r)
      lanes.max[r] = lanes.offset[r] = lanes.factor[r] = lanes.original_max[r] = lanes.original_offset[r] = 0;
    for (int64_t r = 0; r < b.rows; ++r) {
      const double m = state_.own.m[r], complement = sigmoid(-m);
      lanes.max[r] = state_.own.max[r];
      if (b.forget) {
        const double push = b.scale_forgetting * forgetting_weight(b.method, forget_row(m));
        lanes.offset[r] = static_cast<float>(state_.own.log_sum[r]);
        lanes.factor[r] = static_cast<float>(-push);
        target_dz[r] = static_cast<float>(push);
        continue;
      }
      double dz = -b.scale_replay * complement;
      lanes.offset[r] = static_cast<float>(state_.own.log_all[r]);
      lanes.factor[r] = static_cast<float>(b.scale_replay);
      if (b.original_weight) {
        const double m0 = state_.original.m[r], d = softplus(-m) - softplus(-m0);  // log p_ori - log p of the target
        lanes.original_max[r] = state_.original.max[r];
        lanes.original_offset[r] = static_cast<float>(state_.original.log_all[r]);
        b.kl[r] = d < -0.5 ? sigmoid(m) - sigmoid(m0) * (1 - d) : sigmoid(m0) * (::expm1(-d) + d);
        dz += b.scale_mitigation * (sigmoid(-m0) - complement);  // p - p_ori of the target
      }
      target_dz[r] = static_cast<float>(dz);
    }
  }

  // What pass 2 reads, and its working memory.
  struct Gradient {
    Lanes lanes{};
    float* target_dz = nullptr;                         // [rows]
    float* scales = nullptr;                            // [threads, 3, R]
    float* kl = nullptr;                                // [slabs, R], with an original
    float *dz = nullptr, *turned = nullptr;             // of two chunks: units along the rows, and along the vocabulary
    float *hidden = nullptr, *weight_panels = nullptr;  // right matrices; a panel of weights per thread
    int64_t panel = 0;                                  // units of a panel of hidden
  };

  // The slab that begins at v: dz, dW and KL.
  void differentiate_slab(const Gradient& g, int64_t v, float* dz, float* turned) const {
    const int64_t count = smaller(slab_rows, b.V - v), begin = v % chunk_rows;
    float* kl = g.kl ? g.kl + v / slab_rows * R : nullptr;
    if (!g.dz) return make_dz(g, v, count, nullptr, nullptr, kl);
    dz += begin * dz_stride_;
    turned += begin / per_unit * turned_stride_;
    make_dz(g, v, count, dz, turned, kl);
    state_.each_target(v, v + count, [&](int64_t r) { put(g.target_dz[r], b.targets[r] - v, r, dz, turned); });
    for (int64_t d = 0; b.dweight && d < b.D; d += panel_columns)
      multiply_narrow<Unit>(count, smaller(panel_columns, b.D - d), parts_of(b.rows, per_unit), {dz, dz_stride_, 1},
                            {g.hidden + d / panel_columns * g.panel, panel_columns}, {b.dweight + v * b.D + d, b.D},
                            true);
  }

  // dz of the rows v, v + 1, ... of the vocabulary: `to` with units along the block's rows, `turned` with units along
  // the vocabulary. Adds KL's part up.
  void make_dz(const Gradient& g, int64_t v, int64_t count, float* to, float* turned, float* kl) const {
    const float mitigation = static_cast<float>(b.scale_mitigation);
    float* scale = g.scales + omp_get_thread_num() * 3 * R;
    float *scale0 = scale + R, *shift = scale0 + R;
    scale_slab(g.lanes, v / slab_rows, scale, scale0, shift);
    for (int64_t c = 0; kl && c < R; c += width) store(kl + c, Vec{});
    for (int64_t i = 0; i < count; i += 2)
      for (int64_t c = 0; c < R; c += width) {
        const Number* kept = state_.kept + v * R + c;
        const Vec own = load(scale + c);
        if (!state_.gaps) {
          put_pair(count, i, c, to, turned, [&](int64_t k) { return own * load(kept + k * R); });
          continue;
        }
        const Number* gaps = state_.gaps + v * R + c;
        const Vec factor = load(g.lanes.factor + c), original = load(scale0 + c), from_own = load(shift + c);
        Vec sum = load(kl + c);
        put_pair(count, i, c, to, turned, [&](int64_t k) {
          const Vec t = load(gaps + k * R), larger = load(kept + k * R);
          const Vec smaller = larger * exp_of_score(t > 0 ? -t : t);
          const Vec p = own * (t > 0 ? smaller : larger), p0 = original * (t > 0 ? larger : smaller);
          const Vec d = t + from_own, series = p0 * excess_series(d);
          const IntVec small = (d < 0.5f) & (d > -0.5f);
          const Vec gap = small ? series - p0 * d : p - p0;
          sum = sum + (small ? series : gap + p0 * d);
          return factor * p + mitigation * gap;
        });
        store(kl + c, sum);
      }
  }

  // What makes probabilities of a slab's exponentials, times `factor` where there is no original, and log p_ori - log p
  // of its differences.
  void scale_slab(const Lanes& lanes, int64_t s, float* scale, float* scale0, float* shift) const {
    for (int64_t c = 0; c < R; c += width) {
      const Vec log_p = (load(state_.own.tops + s * R + c) - load(lanes.max + c)) - load(lanes.offset + c);
      const Vec p = exp_of_score(log_p) * (1 / Kept::one);
      if (!state_.gaps) {
        store(scale + c, p * load(lanes.factor + c));
        continue;
      }
      const Vec log_p0 =
          (load(state_.original.tops + s * R + c) - load(lanes.original_max + c)) - load(lanes.original_offset + c);
      store(scale + c, p);
      store(scale0 + c, exp_of_score(log_p0) * (1 / Kept::one));
      store(shift + c, log_p0 - log_p);
    }
  }

  // dz of the rows i and i + 1 of a slab, where they are there; nowhere when `to` is nullptr.
  template <class Dz>
  LETHE_INLINE void put_pair(int64_t count, int64_t i, int64_t c, float* to, float* turned, Dz dz) const {
    const bool whole = i + 1 < count;
    const Vec even = dz(i), odd = whole ? dz(i + 1) : Vec{};
    if (!to) return;
    if constexpr (per_unit == 1) {
      store(to + i * dz_stride_ + c, Unit::rounded(even));
      if (whole) store(to + (i + 1) * dz_stride_ + c, Unit::rounded(odd));
    } else {
      auto* halves = reinterpret_cast<Bf16*>(to + i * dz_stride_) + c;
      store(halves, even);
      if (whole) store(halves + 2 * dz_stride_, odd);
      store(turned + i / 2 * turned_stride_ + c, bf16_pairs(even, odd));
    }
  }

  // dz of row r's target, the i-th of the slab.
  void put(float dz, int64_t i, int64_t r, float* to, float* turned) const {
    if constexpr (per_unit == 1) {
      to[i * dz_stride_ + r] = Unit::rounded(splat(dz))[0];
    } else {
      const uint16_t half = bf16_halves(splat(dz))[0];
      auto *along = reinterpret_cast<char*>(to), *across = reinterpret_cast<char*>(turned);
      __builtin_memcpy(along + (i * 2 * dz_stride_ + r) * 2, &half, 2);
      __builtin_memcpy(across + ((i / 2 * turned_stride_ + r) * 2 + i % 2) * 2, &half, 2);
    }
  }

  // Shares of the rows that dh is made in, where it has fewer panels of columns than there are threads.
  int64_t dhidden_share() const {
    const int64_t tiles = parts_of(b.rows, tile_rows);
    return parts_of(tiles, parts_of(omp_get_max_threads(), parts_of(b.D, panel_columns))) * tile_rows;
  }
  int64_t dhidden_parts() const { return parts_of(b.D, panel_columns) * parts_of(b.rows, dhidden_share()); }

  // dh += dz W over the chunk of the vocabulary that begins at v: a panel of columns, a share of the rows.
  void add_to_dhidden(const Gradient& g, int64_t part, int64_t v, const float* turned) const {
    const int64_t share = dhidden_share(), shares = parts_of(b.rows, share), count = smaller(chunk_rows, b.V - v);
    const int64_t column = part / shares * panel_columns, row = part % shares * share;
    const int64_t depth = parts_of(count, per_unit), stride = dhidden_stride(b.D);
    float* mine = g.weight_panels + omp_get_thread_num() * panel_size;
    with_element(b.weight->bf16, [&](auto e) {
      const auto* weight = row_of<decltype(e)>(*b.weight, v, b.D);
      pack_plain<Unit>(weight, {count, b.D, false}, column, 0, depth * per_unit, mine);
    });
    multiply<Unit>(smaller(share, b.rows - row), panel_columns, depth, {turned + row, 1, turned_stride_},
                   {mine, panel_columns}, {b.dhidden + row * stride + column, stride}, true);
  }

  const UnlearnState<Unit, Kept>& state_;
  const UnlearnBlock& b;
  const int64_t R, dz_stride_ = left_stride_of(R / per_unit), turned_stride_ = left_stride_of(R);
};

}  // namespace lethe::cpu::LETHE_ISA
