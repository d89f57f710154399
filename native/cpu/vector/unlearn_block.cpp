// A block of rows through the fused head (docs/math.md, sections 2 and 4), all of one kind. Logits are transposed,
// z^T [V, R]: weights are then the left matrix of every product and are read as they lie in memory, a few rows at a
// time, so that no copy of them is made and what a block holds is what pass 1 keeps of its logits.
//   pass 1, slabs of the vocabulary:   z^T = W h^T, its maxima over the slab, exponentials less these, their sums
//   pass 2, chunks of the vocabulary:  dz^T from the exponentials; dW += dz^T h; dh += dz W
//   forget row:  dz_v = -s c q_v, dz_y = s c;  q = softmax over v != y, c = p (complement) or 1 - p (ga)
//   replay row:  dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori)
// Hazards: LSE over v != y is never derived from the LSE over all, which cancels as p -> 1; 1 - p is sigmoid(-m);
// exponents are z less the slab's maximum, which loses nothing to a large common logit; KL and p - p_ori go through
// exp(-d) - 1 + d, d = log p_ori - log p, which has no cancelling terms and is exactly 0 when the models agree.
// Sums run in an order that the shapes alone decide, whatever the number of threads.
#include <math.h>
#include <omp.h>

#include "cpu/logistic.h"
#include "cpu/scratch.h"
#include "cpu/vector/fp16.h"
#include "cpu/vector/panels.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t slab_rows = 48;    // of the vocabulary, that a thread takes at a time: 8 tiles
constexpr int64_t chunk_slabs = 12;  // 576 rows of the vocabulary per pass over dh
constexpr int64_t chunk_rows = chunk_slabs * slab_rows;
constexpr int64_t line = 16;  // floats of a cache line
constexpr float lowest = -3.4028234664e38F;

int64_t parts_of(int64_t total, int64_t size) { return (total + size - 1) / size; }
int64_t smaller(int64_t x, int64_t y) { return x < y ? x : y; }

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

// What pass 1 keeps for pass 2: exponentials, at most 1, and differences of logits, in fp32; for bf16 products in 11
// bits, three more than dz has, where exponentials count down to 2^-39.
struct KeptSingle {
  using Number = float;
  static constexpr float one = 1;
  static LETHE_INLINE Vec clamped(Vec x) { return x; }
};
struct KeptHalf {
  using Number = Fp16;
  static constexpr float one = 32768;
  static LETHE_INLINE Vec clamped(Vec x) { return x > 65504 ? splat(65504) : x < -65504 ? splat(-65504) : x; }
};

// A model and its logits against the targets. max, log_sum and m are over v != y; log_all is log sum over all v, less
// max.
struct Model {
  const Tensor *weight, *hidden;
  float *panels, *z;    // of pass 1: hidden states, packed; [threads, slab_rows, R]
  float *tops, *sums;   // [slabs, R]: maxima, and sums of exponentials less these
  float *target, *max;  // [R]
  double *log_sum, *m, *log_all;
};

template <class Unit, class Kept>
class Block {
  using Number = Kept::Number;

 public:
  explicit Block(const UnlearnBlock& block)
      : b(block), own_(model(b.weight, b.hidden)), original_(model(b.original_weight, b.original_hidden)) {
    if (!b.keeps_logits()) return;
    kept_ = numbers();
    if (b.original_weight) gaps_ = numbers();
  }

  void run() {
    measure();
    for (int64_t r = 0; r < b.rows; ++r) b.m[r] = own_.m[r], b.kl[r] = 0;
    if (b.keeps_logits()) differentiate();
  }

 private:
  static constexpr int64_t per_unit = Unit::per_unit;
  static constexpr int64_t panel_size = chunk_rows / per_unit * panel_columns;

  Model model(const Tensor* weight, const Tensor* hidden) {
    Model x{};
    if (!weight) return x;
    x.weight = weight;
    x.hidden = hidden;
    x.tops = scratch_.floats(slabs_ * R);
    x.target = scratch_.floats(R);
    x.max = scratch_.floats(R);
    x.log_sum = scratch_.doubles(b.rows);
    x.m = scratch_.doubles(b.rows);
    x.log_all = scratch_.doubles(b.rows);
    return x;
  }
  Number* numbers() { return static_cast<Number*>(scratch_.bytes(static_cast<size_t>(b.V * R) * sizeof(Number))); }

  // Calls body(row) for the rows whose target is in [begin, end).
  template <class Body>
  void each_target(int64_t begin, int64_t end, Body body) const {
    int64_t low = 0, high = b.rows;
    while (low < high) {
      const int64_t middle = (low + high) / 2;
      if (b.targets[b.by_target[middle]] < begin)
        low = middle + 1;
      else
        high = middle;
    }
    for (; low < b.rows && b.targets[b.by_target[low]] < end; ++low) body(b.by_target[low]);
  }

  // An odd number of cache lines: rows of a left matrix must not meet in one set of the cache.
  static int64_t stride_of(int64_t units) { return (parts_of(units, line) | 1) * line; }

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

  void measure() {
    Scratch scratch;
    const int64_t threads = omp_get_max_threads();
    float* left = scratch.floats(threads * slab_rows * left_stride_);
    allocate(own_, threads, scratch);
    if (gaps_) allocate(original_, threads, scratch);
    parallel_for_uneven(is_large(), slabs_, [&](int64_t s) {
      const int64_t thread = omp_get_thread_num();
      float *rows = left + thread * slab_rows * left_stride_, *z = own_.z + thread * slab_rows * R;
      float* z0 = gaps_ ? original_.z + thread * slab_rows * R : nullptr;
      make_logits(own_, s, rows, z);
      if (z0) make_logits(original_, s, rows, z0);
      keep(s, z, z0);
    });
    parallel_for(slabs_ * R > 16384, parts_of(R, width), [&](int64_t i) {
      merge(own_, i * width);
      if (gaps_) merge(original_, i * width);
    });
  }

  // What a model needs in pass 1 only.
  void allocate(Model& x, int64_t threads, Scratch& scratch) const {
    const PanelShape shape{b.D, b.rows, true};
    x.panels = scratch.floats(static_cast<int64_t>(shape.bytes(per_unit == 2) / 4));
    with_element(x.hidden->bf16, [&](auto e) { pack<Unit>(row_of<decltype(e)>(*x.hidden, 0, 0), shape, x.panels); });
    x.z = scratch.floats(threads * slab_rows * R);
    x.sums = scratch.floats(slabs_ * R);
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
    each_target(v, v + count, [&](int64_t r) {
      float& logit = z[(b.targets[r] - v) * R + r];
      x.target[r] = logit;
      logit = -__builtin_inff();
    });
  }

  // Column by column a slab's maxima, sums of exponentials and what pass 2 takes from it: e = exp(z - top), or with an
  // original the larger of e and e0, and what makes the other of it, (z0 - top0) - (z - top). Targets count 0.
  void keep(int64_t s, const float* z, const float* z0) const {
    const int64_t v = s * slab_rows, count = rows_of(s);
    float *tops = own_.tops + s * R, *sums = own_.sums + s * R;
    float *tops0 = z0 ? original_.tops + s * R : nullptr, *sums0 = z0 ? original_.sums + s * R : nullptr;
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
            if (kept_) store(kept_ + (v + k) * R + c, e * Kept::one);
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
          store(kept_ + (v + k) * R + c, (gap > 0 ? e0 : e) * Kept::one);
          store(gaps_ + (v + k) * R + c, Kept::clamped(gap));
        }
        store(sums + c, sum);
        store(sums0 + c, sum0);
      }
    each_target(v, v + count, [&](int64_t r) {
      const int64_t i = b.targets[r] * R + r;
      if (kept_) kept_[i] = {};
      if (gaps_) gaps_[i] = {};
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
    for (int64_t s = 0; s < slabs_; ++s) top = max(top, load(x.tops + s * R + c));
    double total[width] = {};
    for (int64_t begin = 0; begin < slabs_; begin += 32) {
      Vec sum = {};
      for (int64_t s = begin; s < smaller(begin + 32, slabs_); ++s)
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

  // What pass 2 needs of every row, and dz of the targets. KL's part of the targets.
  void prepare(const Lanes& lanes, float* target_dz) const {
    for (int64_t r = 0; r < R; ++r)
      lanes.max[r] = lanes.offset[r] = lanes.factor[r] = lanes.original_max[r] = lanes.original_offset[r] = 0;
    for (int64_t r = 0; r < b.rows; ++r) {
      const double m = own_.m[r], complement = sigmoid(-m);
      lanes.max[r] = own_.max[r];
      if (b.forget) {
        const double push = b.scale_forgetting * (b.method == 0 ? sigmoid(m) : complement);
        lanes.offset[r] = static_cast<float>(own_.log_sum[r]);
        lanes.factor[r] = static_cast<float>(-push);
        target_dz[r] = static_cast<float>(push);
        continue;
      }
      double dz = -b.scale_replay * complement;
      lanes.offset[r] = static_cast<float>(own_.log_all[r]);
      lanes.factor[r] = static_cast<float>(b.scale_replay);
      if (b.original_weight) {
        const double m0 = original_.m[r], d = softplus(-m) - softplus(-m0);  // log p_ori - log p of the target
        lanes.original_max[r] = original_.max[r];
        lanes.original_offset[r] = static_cast<float>(original_.log_all[r]);
        b.kl[r] = d < -0.5 ? sigmoid(m) - sigmoid(m0) * (1 - d) : sigmoid(m0) * (::expm1(-d) + d);
        dz += b.scale_mitigation * (sigmoid(-m0) - complement);  // p - p_ori of the target
      }
      target_dz[r] = static_cast<float>(dz);
    }
  }

  // Chunk by chunk its slabs' dz and dW, then dh of the chunk before: nobody waits for the last slab of a chunk.
  void differentiate() {
    Scratch scratch;
    Gradient g;
    g.lanes = {scratch.floats(R), scratch.floats(R), scratch.floats(R), scratch.floats(R), scratch.floats(R)};
    g.target_dz = scratch.floats(b.rows);
    prepare(g.lanes, g.target_dz);
    const int64_t along = chunk_rows * dz_stride_, across = chunk_rows / per_unit * turned_stride_;
    g.scales = scratch.floats(omp_get_max_threads() * 3 * R);
    if (gaps_) g.kl = scratch.floats(slabs_ * R);
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
    parallel_in_order(is_large(), (chunks + 1) * (chunk_slabs + parts), [&](int64_t i) {
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
      for (int64_t s = 0; s < slabs_; ++s) b.kl[r] += static_cast<double>(g.kl[s * R + r]);
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
    each_target(v, v + count, [&](int64_t r) { put(g.target_dz[r], b.targets[r] - v, r, dz, turned); });
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
        const Number* kept = kept_ + v * R + c;
        const Vec own = load(scale + c);
        if (!gaps_) {
          put_pair(count, i, c, to, turned, [&](int64_t k) { return own * load(kept + k * R); });
          continue;
        }
        const Number* gaps = gaps_ + v * R + c;
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
      const Vec log_p = (load(own_.tops + s * R + c) - load(lanes.max + c)) - load(lanes.offset + c);
      const Vec p = exp_of_score(log_p) * (1 / Kept::one);
      if (!gaps_) {
        store(scale + c, p * load(lanes.factor + c));
        continue;
      }
      const Vec log_p0 =
          (load(original_.tops + s * R + c) - load(lanes.original_max + c)) - load(lanes.original_offset + c);
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

  bool is_large() const { return b.V * b.D * b.rows > 32768; }

  const UnlearnBlock& b;
  const int64_t R = parts_of(b.rows, line) * line;  // lanes: rows and some zeros
  const int64_t slabs_ = parts_of(b.V, slab_rows), units_ = parts_of(b.D, per_unit);
  const int64_t left_stride_ = stride_of(units_), dz_stride_ = stride_of(R / per_unit), turned_stride_ = stride_of(R);
  Scratch scratch_;
  Model own_, original_;
  Number *kept_ = nullptr, *gaps_ = nullptr;  // [V, R]; gaps with an original
};

}  // namespace

void unlearn_block(const UnlearnBlock& block) {
  if (!block.bf16) return Block<Single, KeptSingle>(block).run();
  if constexpr (has_bf16)
    Block<Pair, KeptHalf>(block).run();
  else
    Block<RoundedSingle, KeptHalf>(block).run();
}

}  // namespace lethe::cpu::LETHE_ISA
