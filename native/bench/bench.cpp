// Milliseconds, GFLOP/s and the share of the peak that this process measures, for the operators that take a step's
// time.
//   lethe_bench [threads]
// The peak is that of fused multiply-adds on registers. On a busy machine it falls, and the share is the better figure.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "core/call.h"
#include "core/operator_table.h"
#include "cpu/runtime.h"

namespace {

using Clock = std::chrono::steady_clock;

// The best of at least three runs and half a second, in ms.
double best_ms(const std::function<void()>& run) {
  run();
  double best = 1e30, total = 0;
  for (int i = 0; i < 3 || total < 500; ++i) {
    const auto start = Clock::now();
    run();
    const double ms = std::chrono::duration<double, std::milli>(Clock::now() - start).count();
    best = std::min(best, ms);
    total += ms;
  }
  return best;
}

struct Peak {
  double fp32 = 0, bf16 = 0;
};

class Bench {
 public:
  explicit Bench(Peak peak) : peak_(peak) {}

  uint64_t random(int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    std::normal_distribution<float> normal(0, 0.05F);
    for (float& x : values) x = normal(bits_);
    return upload(values.data(), values.size());
  }
  template <class Value>
  uint64_t upload(const Value* values, size_t count) {
    const uint64_t id = store_.allocate(1, count * 4);
    store_.write(id, 0, values, count * 4);
    return id;
  }
  // Runs the operator with its numbers; bf16 says which peak it is held against.
  void run(const std::string& label, const std::string& op, const std::vector<double>& numbers, double flop,
           bool bf16) {
    size_t index = 0;
    while (lethe::operators()[index].name != op) ++index;
    const double ms = best_ms([&] { lethe::call(lethe::cpu_device(), store_, index, numbers); });
    const double rate = flop / ms / 1e6;
    std::printf("%-52s %-4s %9.3f ms %8.1f GFLOP/s %5.1f%% of peak\n", label.c_str(), bf16 ? "bf16" : "fp32", ms, rate,
                100 * rate / (bf16 ? peak_.bf16 : peak_.fp32));
    std::fflush(stdout);
  }

 private:
  Peak peak_;
  lethe::BufferStore store_;
  std::mt19937 bits_{1};
};

#if defined(__x86_64__)
#define LETHE_WIDEST __attribute__((target_clones("avx512f", "avx2,fma", "default")))
#else
#define LETHE_WIDEST
#endif

typedef float Lanes __attribute__((vector_size(64)));

// Multiply-adds that wait for nothing but the units: 24 independent vectors of 16 floats, kept in registers.
LETHE_WIDEST float multiply_add(int64_t rounds) {
  Lanes sum[24];
#pragma GCC unroll 24
  for (int j = 0; j < 24; ++j)
    sum[j] = Lanes{} + static_cast<float>(rounds + j);  // all different: one would do for all
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) sum[j] = sum[j] * 0.999F + 0.001F;
  float result = 0;
#pragma GCC unroll 24
  for (int j = 0; j < 24; ++j) result += sum[j][0];
  return result;
}

// FLOP/s of one thread's registers times threads; bf16 instructions do twice that on the machines that have them.
Peak measure_peak() {
  constexpr int64_t rounds = 1 << 20;
  volatile float sink = 0;
  const double ms = best_ms([&] { sink = sink + multiply_add(rounds); });
  const double fp32 = 2.0 * 24 * 16 * rounds / ms / 1e6 * lethe::cpu::num_threads();
  return {fp32, lethe::cpu::runtime().bf16 ? 2 * fp32 : fp32};
}

void linear(Bench& bench, double N, double I, double O, bool bf16) {
  const auto size = [](double x) { return static_cast<int64_t>(x); };
  const auto id = [](uint64_t x) { return static_cast<double>(x); };
  const std::string shape =
      " " + std::to_string(size(N)) + "x" + std::to_string(size(I)) + "x" + std::to_string(size(O));
  const double x = id(bench.random(size(N * I))), w = id(bench.random(size(O * I))), y = id(bench.random(size(N * O)));
  const double dx = id(bench.random(size(N * I))), dw = id(bench.random(size(O * I)));
  bench.run("linear" + shape, "linear", {N, I, O, x, w, 0, y, double(bf16)}, 2 * N * I * O, bf16);
  bench.run("linear_backward" + shape, "linear_backward", {N, I, O, x, w, y, dx, dw, 0, 0, double(bf16)}, 4 * N * I * O,
            bf16);
}

void attention(Bench& bench, double B, double T, double H, double K, double D) {
  const auto random = [&](double count) { return static_cast<double>(bench.random(static_cast<int64_t>(count))); };
  std::vector<int32_t> first(static_cast<size_t>(B * T)), last;
  for (size_t i = 0; i < first.size(); ++i) last.push_back(static_cast<int32_t>(i % static_cast<size_t>(T)));
  const auto f = static_cast<double>(bench.upload(first.data(), first.size()));
  const auto l = static_cast<double>(bench.upload(last.data(), last.size()));
  const double q = random(B * T * H * D), k = random(B * T * K * D), v = random(B * T * K * D),
               y = random(B * T * H * D);
  const double lse = random(B * H * T), dy = random(B * T * H * D), dq = random(B * T * H * D),
               dk = random(B * T * K * D);
  const double dv = random(B * T * K * D), scale = 1 / std::sqrt(D), flop = 2 * B * H * T * (T + 1) / 2 * D;
  const std::string shape = " causal B=" + std::to_string(int(B)) + " T=" + std::to_string(int(T)) +
                            " H=" + std::to_string(int(H)) + " K=" + std::to_string(int(K)) +
                            " D=" + std::to_string(int(D));
  bench.run("attention" + shape, "attention", {B, T, T, H, K, D, q, k, v, f, l, y, lse, scale, 0}, 2 * flop, false);
  bench.run("attention_backward" + shape, "attention_backward",
            {B, T, T, H, K, D, q, k, v, f, l, y, lse, dy, dq, dk, dv, scale, 0}, 5 * flop, false);
}

void unlearn_head(Bench& bench, double N, double D, double V, bool bf16) {
  const auto random = [&](double count) { return static_cast<double>(bench.random(static_cast<int64_t>(count))); };
  std::vector<int32_t> targets;
  for (int i = 0; i < int(N); ++i) targets.push_back(i * 7919 % int(V));
  const auto y = static_cast<double>(bench.upload(targets.data(), targets.size()));
  const double forget = N / 2, M = N - forget, h = random(N * D), w = random(V * D), h0 = random(M * D),
               w0 = random(V * D);
  const double sums = random(8), dh = random(N * D), dw = random(V * D);
  bench.run("unlearn_head N=" + std::to_string(int(N)) + " D=" + std::to_string(int(D)) +
                " V=" + std::to_string(int(V)) + ", half forget",
            "unlearn_head",
            {N, M, D, V, h, w, y, h0, w0, sums, dh, dw, 0, 0, 0, 1e-4, 1e-3, 1e-3, forget, 0, double(bf16)},
            (3 * forget + 4 * M) * 2 * D * V, bf16);
}

void elementwise(Bench& bench) {
  const double N = 1 << 20, id = static_cast<double>(bench.random(1 << 20)),
               other = static_cast<double>(bench.random(1 << 20));
  const double third = static_cast<double>(bench.random(1 << 20)), fourth = static_cast<double>(bench.random(1 << 20));
  bench.run("swiglu, 2^20 (FLOP: 1 per element)", "swiglu", {1, N, id, other, third}, N, false);
  bench.run("adamw, 2^20 (FLOP: 1 per element)", "adamw",
            {N, id, other, third, fourth, 1e-4, 0.9, 0.95, 1e-8, 0.1, 1, 1}, N, false);
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) lethe::cpu::set_num_threads(std::atoi(arguments[1]));
  const auto& runtime = lethe::cpu::runtime();
  const Peak peak = measure_peak();
  std::printf("%s, oneDNN %s, %d threads; peak %.0f GFLOP/s fp32, %.0f bf16\n", runtime.simd.c_str(),
              runtime.onednn.c_str(), lethe::cpu::num_threads(), peak.fp32, peak.bf16);
  Bench bench(peak);
  for (const bool bf16 : {false, true}) {
    linear(bench, 1, 512, 512, bf16);
    linear(bench, 1024, 512, 512, bf16);
    linear(bench, 1024, 512, 1408, bf16);
    linear(bench, 2048, 2048, 5504, bf16);
    unlearn_head(bench, 1024, 512, 16384, bf16);
    unlearn_head(bench, 512, 2048, 64000, bf16);
  }
  attention(bench, 4, 256, 8, 8, 64);
  attention(bench, 1, 1024, 8, 4, 64);
  attention(bench, 1, 1024, 8, 8, 128);
  elementwise(bench);
}
