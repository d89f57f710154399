// What the two passes of the fused head share (see unlearn_block.cpp).
#pragma once
#include "cpu/scratch.h"
#include "cpu/vector/fp16.h"
#include "cpu/vector/panels.h"

namespace lethe::cpu::LETHE_ISA {

inline constexpr int64_t slab_rows = 48;  // of the vocabulary, that a thread takes at a time: 8 tiles
inline constexpr int64_t line = 16;       // floats of a cache line
inline constexpr float lowest = -3.4028234664e38F;

inline int64_t parts_of(int64_t total, int64_t size) { return (total + size - 1) / size; }
inline int64_t smaller(int64_t x, int64_t y) { return x < y ? x : y; }

// An odd number of cache lines: rows of a left matrix must not meet in one set of the cache.
inline int64_t left_stride_of(int64_t units) { return (parts_of(units, line) | 1) * line; }

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

// A block of rows with what pass 1 leaves for pass 2.
template <class Unit, class Kept>
struct UnlearnState {
  using Number = typename Kept::Number;

  const UnlearnBlock& b;
  const int64_t R = parts_of(b.rows, line) * line;  // lanes: rows and some zeros
  const int64_t slabs = parts_of(b.V, slab_rows);
  Scratch scratch;
  Model own, original;
  Number *kept = nullptr, *gaps = nullptr;  // [V, R]; gaps with an original

  explicit UnlearnState(const UnlearnBlock& block)
      : b(block), own(model(b.weight, b.hidden)), original(model(b.original_weight, b.original_hidden)) {
    if (!b.keeps_logits()) return;
    kept = numbers();
    if (b.original_weight) gaps = numbers();
  }

  bool is_large() const { return b.V * b.D * b.rows > 32768; }

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

 private:
  Model model(const Tensor* weight, const Tensor* hidden) {
    Model x{};
    if (!weight) return x;
    x.weight = weight;
    x.hidden = hidden;
    x.tops = scratch.floats(slabs * R);
    x.target = scratch.floats(R);
    x.max = scratch.floats(R);
    x.log_sum = scratch.doubles(b.rows);
    x.m = scratch.doubles(b.rows);
    x.log_all = scratch.doubles(b.rows);
    return x;
  }
  Number* numbers() { return static_cast<Number*>(scratch.bytes(static_cast<size_t>(b.V * R) * sizeof(Number))); }
};

}  // namespace lethe::cpu::LETHE_ISA
