// A block of rows through the fused head (docs/math.md, sections 2 and 4), all of one kind. Logits are kept transposed,
// z^T [V, R]: weights are then the left matrix of every product and are read as they lie in memory, a few rows at a
// time, so that no copy of them is made and what a block holds is its logits.
//   pass 1, slabs of the vocabulary:   z^T = W h^T, its maxima and sums of exponentials over the slab
//   pass 2, chunks of the vocabulary:  dz^T from z^T; dW += dz^T h; dh += dz W
//   forget row:  dz_v = -s c q_v, dz_y = s c;  q = softmax over v != y, c = p (complement) or 1 - p (ga)
//   replay row:  dz = scale_replay (p - e_y) + scale_mitigation (p - p_ori)
// Hazards: LSE over v != y is never derived from the LSE over all, which cancels as p -> 1; 1 - p is sigmoid(-m);
// exponents are (z - max) - offset, which loses nothing to a large common logit; KL and p - p_ori go through
// exp(-d) - 1 + d, d = log p_ori - log p, which has no cancelling terms and is exactly 0 when the models agree.
// Sums run in an order that the shapes alone decide, whatever the number of threads.
#include <math.h>
#include <omp.h>

#include "cpu/scratch.h"
#include "cpu/vector/panels.h"

namespace lethe::cpu::LETHE_ISA {
namespace {

constexpr int64_t slab_rows = 48;    // of the vocabulary, that a thread takes at a time: 8 tiles
constexpr int64_t chunk_slabs = 24;  // 1152 rows of the vocabulary per pass over dh
constexpr int64_t chunk_rows = chunk_slabs * slab_rows;
constexpr int64_t line = 16;  // floats of a cache line
constexpr float lowest = -3.4028234664e38F;

double softplus(double x) { return x > 0 ? x + ::log1p(::exp(-x)) : ::log1p(::exp(x)); }
double sigmoid(double x) { return 1 / (1 + ::exp(-x)); }

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

// A model's logits against the targets, row by row. max and log_sum are over v != y; log_all is log sum over all v,
// less max.
struct Measured {
  float *z, *max;
  double *log_sum, *m, *log_all;
};

// What pass 2 takes from a row, one number per lane; `original` ones where the rows have an original.
struct Lanes {
  float *max, *offset, *factor, *original_max, *original_offset;
};

template <class Unit>
class Block {
 public:
  explicit Block(const UnlearnBlock& block) : b(block) {
    own_ = allocate(b.keeps_logits());
    if (b.original_weight) original_ = allocate(true);
  }

  void run() {
    measure(*b.weight, *b.hidden, own_);
    if (b.original_weight) measure(*b.original_weight, *b.original_hidden, original_);
    for (int64_t r = 0; r < b.rows; ++r) b.m[r] = own_.m[r], b.kl[r] = 0;
    if (b.keeps_logits()) differentiate();
  }

 private:
  static constexpr int64_t per_unit = Unit::per_unit;
  static constexpr int64_t panel_size = chunk_rows / per_unit * panel_columns;

  Measured allocate(bool keeps) {
    return {keeps ? scratch_.floats(b.V * R) : nullptr, scratch_.floats(b.rows), scratch_.doubles(b.rows),
            scratch_.doubles(b.rows), scratch_.doubles(b.rows)};
  }

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

  void measure(const Tensor& weight, const Tensor& hidden, const Measured& out) {
    Scratch scratch;
    const PanelShape shape{b.D, b.rows, true};
    float* panels = scratch.floats(static_cast<int64_t>(shape.bytes(per_unit == 2) / 4));
    with_element(hidden.bf16, [&](auto e) { pack<Unit>(row_of<decltype(e)>(hidden, 0, 0), shape, panels); });
    const int64_t slabs = parts_of(b.V, slab_rows), panel = shape.depth(per_unit == 2) / per_unit * panel_columns;
    const int64_t threads = omp_get_max_threads();
    float *tops = scratch.floats(slabs * R), *sums = scratch.floats(slabs * R);
    float *left = scratch.floats(threads * slab_rows * left_stride_), *target = scratch.floats(b.rows);
    float* own_z = out.z ? nullptr : scratch.floats(threads * slab_rows * R);
    with_element(weight.bf16, [&](auto element) {
      const auto* rows = row_of<decltype(element)>(weight, 0, 0);
      parallel_for_uneven(is_large(), slabs, [&](int64_t s) {
        const int64_t v = s * slab_rows, count = smaller(slab_rows, b.V - v), thread = omp_get_thread_num();
        float* mine = left + thread * slab_rows * left_stride_;
        float* z = out.z ? out.z + v * R : own_z + thread * slab_rows * R;
        load_rows(rows + v * b.D, count, mine);
        for (int64_t j = 0; j * panel_columns < R; ++j)
          multiply<Unit>(count, smaller(panel_columns, R - j * panel_columns), units_, {mine, left_stride_, 1},
                         {panels + j * panel, panel_columns}, {z + j * panel_columns, R}, false);
        each_target(v, v + count, [&](int64_t r) {
          float& logit = z[(b.targets[r] - v) * R + r];
          target[r] = logit;
          logit = -__builtin_inff();
        });
        measure_slab(z, count, tops + s * R, sums + s * R);
      });
    });
    parallel_for(slabs * R > 16384, parts_of(R, width),
                 [&](int64_t i) { merge(i * width, slabs, tops, sums, target, out); });
  }

  // Column by column the maximum and the sum of exponentials, less the maximum.
  void measure_slab(const float* z, int64_t count, float* tops, float* sums) const {
    for (int64_t c = 0; c < R; c += width) {
      Vec top = splat(lowest);
      for (int64_t i = 0; i < count; ++i) top = max(top, load(z + i * R + c));
      store(tops + c, top);
      store(sums + c, Vec{});
    }
    for (int64_t i = 0; i < count; i += 4)
      for (int64_t c = 0; c < R; c += width) {
        const Vec top = load(tops + c);
        Vec sum = load(sums + c);
        for (int64_t k = i; k < smaller(i + 4, count); ++k) sum = sum + exp_of_score(load(z + k * R + c) - top);
        store(sums + c, sum);
      }
  }

  // Of the rows c, c + 1, ...
  void merge(int64_t c, int64_t slabs, const float* tops, const float* sums, const float* target,
             const Measured& out) const {
    Vec top = splat(lowest);
    for (int64_t s = 0; s < slabs; ++s) top = max(top, load(tops + s * R + c));
    double total[width] = {};
    for (int64_t begin = 0; begin < slabs; begin += 32) {
      Vec sum = {};
      for (int64_t s = begin; s < smaller(begin + 32, slabs); ++s)
        sum = sum + load(sums + s * R + c) * exp_of_score(load(tops + s * R + c) - top);
      for (int64_t i = 0; i < width; ++i) total[i] += static_cast<double>(sum[i]);
    }
    for (int64_t i = 0; i < width && c + i < b.rows; ++i) {
      const int64_t r = c + i;
      out.max[r] = top[i];
      out.log_sum[r] = ::log(total[i]);
      out.m[r] = static_cast<double>(target[r]) - static_cast<double>(top[i]) - out.log_sum[r];
      out.log_all[r] = out.log_sum[r] + softplus(out.m[r]);
      // exp(-200) is 0 in fp32, and the differences of log p stay finite
      if (out.z) out.z[b.targets[r] * R + r] = top[i] - 200;
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
        b.kl[r] = sigmoid(m0) * (::expm1(-d) + d);
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
    const int64_t slabs = parts_of(b.V, slab_rows), half = chunk_rows * R / per_unit;
    if (b.original_weight) g.kl = scratch.floats(slabs * R);
    if (b.dhidden || b.dweight) {
      g.dz = scratch.floats(2 * half);
      g.turned = per_unit == 1 ? g.dz : scratch.floats(2 * half);
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
        differentiate_slab(g, v, g.dz + chunk % 2 * half, g.turned + chunk % 2 * half);
        made[chunk].add();
      } else if (--chunk >= 0) {
        made[chunk].wait_for(parts_of(smaller(chunk_rows, b.V - chunk * chunk_rows), slab_rows));
        added.wait_for(chunk * parts);
        add_to_dhidden(g, part, chunk * chunk_rows, g.turned + chunk % 2 * half);
        added.add();
      }
    });
    for (int64_t r = 0; g.kl && r < b.rows; ++r)
      for (int64_t s = 0; s < slabs; ++s) b.kl[r] += static_cast<double>(g.kl[s * R + r]);
  }

  // What pass 2 reads, and its working memory.
  struct Gradient {
    Lanes lanes{};
    float* target_dz = nullptr;                         // [rows]
    float* kl = nullptr;                                // [slabs, R], with an original
    float *dz = nullptr, *turned = nullptr;             // of two chunks: units along the rows, and along the vocabulary
    float *hidden = nullptr, *weight_panels = nullptr;  // right matrices; a panel of weights per thread
    int64_t panel = 0;                                  // units of a panel of hidden
  };

  // The slab that begins at v: dz, dW and KL.
  void differentiate_slab(const Gradient& g, int64_t v, float* dz, float* turned) const {
    const int64_t count = smaller(slab_rows, b.V - v), begin = v % chunk_rows;
    float* kl = g.kl ? g.kl + v / slab_rows * R : nullptr;
    if (!g.dz) return make_dz(g.lanes, v, count, nullptr, nullptr, kl);
    dz += begin * R / per_unit;
    turned += begin / per_unit * R;
    make_dz(g.lanes, v, count, dz, turned, kl);
    each_target(v, v + count, [&](int64_t r) { put(g.target_dz[r], b.targets[r] - v, r, dz, turned); });
    for (int64_t d = 0; b.dweight && d < b.D; d += panel_columns)
      multiply_narrow<Unit>(count, smaller(panel_columns, b.D - d), parts_of(b.rows, per_unit), {dz, R / per_unit, 1},
                            {g.hidden + d / panel_columns * g.panel, panel_columns}, {b.dweight + v * b.D + d, b.D},
                            true);
  }

  // dz of the rows v, v + 1, ... of the vocabulary: `to` with units along the block's rows, `turned` with units along
  // the vocabulary. Adds KL's part up.
  void make_dz(const Lanes& lanes, int64_t v, int64_t count, float* to, float* turned, float* kl) const {
    const float *z = own_.z + v * R, *z0 = b.original_weight ? original_.z + v * R : nullptr;
    const float mitigation = static_cast<float>(b.scale_mitigation);
    for (int64_t c = 0; kl && c < R; ++c) kl[c] = 0;
    for (int64_t i = 0; i < count; i += 2)
      for (int64_t c = 0; c < R; c += width) {
        const Vec top = load(lanes.max + c), offset = load(lanes.offset + c), factor = load(lanes.factor + c);
        if (!z0) {
          put_pair(count, i, c, to, turned,
                   [&](int64_t k) { return factor * exp_of_score((load(z + k * R + c) - top) - offset); });
          continue;
        }
        const Vec top0 = load(lanes.original_max + c), offset0 = load(lanes.original_offset + c);
        Vec sum = load(kl + c);
        put_pair(count, i, c, to, turned, [&](int64_t k) {
          const Vec log_p = (load(z + k * R + c) - top) - offset, log_p0 = (load(z0 + k * R + c) - top0) - offset0;
          const Vec d = log_p0 - log_p, p = exp_of_score(log_p), p0 = exp_of_score(log_p0);
          const Vec series = p0 * excess_series(d);
          const IntVec small = (d < 0.5f) & (d > -0.5f);
          const Vec gap = small ? series - p0 * d : p - p0;
          sum = sum + (small ? series : gap + p0 * d);
          return factor * p + mitigation * gap;
        });
        store(kl + c, sum);
      }
  }

  // dz of the rows i and i + 1 of a slab, where they are there; nowhere when `to` is nullptr.
  template <class Dz>
  LETHE_INLINE void put_pair(int64_t count, int64_t i, int64_t c, float* to, float* turned, Dz dz) const {
    const bool whole = i + 1 < count;
    const Vec even = dz(i), odd = whole ? dz(i + 1) : Vec{};
    if (!to) return;
    if constexpr (per_unit == 1) {
      store(to + i * R + c, Unit::rounded(even));
      if (whole) store(to + (i + 1) * R + c, Unit::rounded(odd));
    } else {
      auto* halves = reinterpret_cast<Bf16*>(to) + i * R + c;
      store(halves, even);
      if (whole) store(halves + R, odd);
      store(turned + i / 2 * R + c, bf16_pairs(even, odd));
    }
  }

  // dz of row r's target, the i-th of the slab.
  void put(float dz, int64_t i, int64_t r, float* to, float* turned) const {
    if constexpr (per_unit == 1) {
      to[i * R + r] = Unit::rounded(splat(dz))[0];
    } else {
      const uint16_t half = bf16_halves(splat(dz))[0];
      auto *along = reinterpret_cast<char*>(to), *across = reinterpret_cast<char*>(turned);
      __builtin_memcpy(along + (i * R + r) * 2, &half, 2);
      __builtin_memcpy(across + ((i / 2 * R + r) * 2 + i % 2) * 2, &half, 2);
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
    multiply<Unit>(smaller(share, b.rows - row), panel_columns, depth, {turned + row, 1, R}, {mine, panel_columns},
                   {b.dhidden + row * stride + column, stride}, true);
  }

  bool is_large() const { return b.V * b.D * b.rows > 32768; }

  const UnlearnBlock& b;
  const int64_t R = parts_of(b.rows, line) * line;  // lanes: rows and some zeros
  const int64_t units_ = parts_of(b.D, per_unit);
  // An odd number of cache lines: rows of the left matrix must not meet in one set of the cache.
  const int64_t left_stride_ = (parts_of(units_, line) | 1) * line;
  Scratch scratch_;
  Measured own_, original_;
};

}  // namespace

void unlearn_block(const UnlearnBlock& block) {
  if (!block.bf16) return Block<Single>(block).run();
  if constexpr (has_bf16)
    Block<Pair>(block).run();
  else
    Block<RoundedSingle>(block).run();
}

}  // namespace lethe::cpu::LETHE_ISA
