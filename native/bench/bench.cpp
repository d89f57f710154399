// Milliseconds, GFLOP/s and the share of the peak that this process measures, for the operators that take a step's
// time.
//   lethe_bench [threads] [part of an operator's name] [file of CSV rows to add to]
// MB: working memory that a first call takes beside its arguments, copies of weights included; pieces below some 32 MB
// may be found in the heap and then count as nothing.
// The peak is that of fused multiply-adds (fp32) or dot products of bf16 on registers.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "core/bf16.h"
#include "core/call.h"
#include "core/operator_table.h"
#include "cpu/runtime.h"

namespace {

// With one thread its CPU time: the wall clock of a busy machine measures the neighbours.
double now_ms() {
  if (lethe::cpu::num_threads() == 1) return 1e3 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double elapsed_ms(const std::function<void()>& run) {
  const double start = now_ms();
  run();
  return now_ms() - start;
}

double resident_mb() {
  long pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> pages;
  return static_cast<double>(pages) * 4096 / 1e6;
}

// What a call keeps beside its arguments: a fresh thread has no working memory and no copies of weights yet. The second
// call finds the memory that the first one asked for, as all later ones do.
double working_mb(const std::function<void()>& run) {
  double grown = 0;
  run();  // touches the arguments
  const int threads = lethe::cpu::num_threads();
  std::thread([&] {
    lethe::cpu::set_num_threads(threads);
    const double before = resident_mb();
    run();
    run();
    grown = resident_mb() - before;
  }).join();
  return grown;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<ptrdiff_t>(values.size() / 2), values.end());
  return values[values.size() / 2];
}

typedef float Lanes4 __attribute__((vector_size(16)));
typedef float Lanes8 __attribute__((vector_size(32)));
typedef float Lanes16 __attribute__((vector_size(64)));

// Multiply-adds that wait for nothing but the units: `count` independent vectors, which must fit the registers.
template <typename Lanes, int count>
__attribute__((always_inline)) inline float multiply_add(int64_t rounds) {
  Lanes sum[count];
#pragma GCC unroll 24
  for (int j = 0; j < count; ++j)
    sum[j] = Lanes{} + static_cast<float>(rounds + j);  // all different: one would do for all
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (int j = 0; j < count; ++j) sum[j] = sum[j] * 0.999F + 0.001F;
  float result = 0;
#pragma GCC unroll 24
  for (int j = 0; j < count; ++j) result += sum[j][0];
  return result;
}

// How a processor is asked for its peak.
struct Units {
  float (*run)(int64_t rounds);
  double flop;  // of a round
};

#if defined(__x86_64__)
__attribute__((target("avx512f"))) float of_avx512(int64_t rounds) { return multiply_add<Lanes16, 24>(rounds); }
__attribute__((target("avx2,fma"))) float of_avx2(int64_t rounds) { return multiply_add<Lanes8, 12>(rounds); }
float of_sse(int64_t rounds) { return multiply_add<Lanes4, 12>(rounds); }

// The same for dot products of pairs of bf16.
__attribute__((target("avx512f,avx512bf16"))) float of_bf16(int64_t rounds) {
  __m512 sum[24];
#pragma GCC unroll 24
  for (int j = 0; j < 24; ++j) sum[j] = _mm512_set1_ps(static_cast<float>(rounds + j));
  const __m512bh a = (__m512bh)_mm512_set1_ps(0.25F), b = (__m512bh)_mm512_set1_ps(0.5F);
  for (int64_t i = 0; i < rounds; ++i)
#pragma GCC unroll 24
    for (int j = 0; j < 24; ++j) sum[j] = _mm512_dpbf16_ps(sum[j], a, b);
  float result = 0;
#pragma GCC unroll 24
  for (int j = 0; j < 24; ++j) result += sum[j][0];
  return result;
}

Units units(bool bf16) {
  if (bf16 && lethe::cpu::runtime().bf16) return {of_bf16, 4 * 24 * 16};
  if (__builtin_cpu_supports("avx512f")) return {of_avx512, 2 * 24 * 16};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return {of_avx2, 2 * 12 * 8};
  return {of_sse, 2 * 12 * 4};
}
#else
float of_narrow(int64_t rounds) { return multiply_add<Lanes4, 24>(rounds); }

Units units(bool) { return {of_narrow, 2 * 24 * 4}; }
#endif

// GFLOP/s of one thread's registers, times threads. Taken next to every run, so that both meet the same machine.
double peak_now(bool bf16) {
  constexpr int64_t rounds = 1 << 16;
  static volatile float sink = 0;
  const auto [run, flop] = units(bf16);
  const double ms = elapsed_ms([run = run] { sink = sink + run(rounds); });
  return flop * rounds / ms / 1e6 * lethe::cpu::num_threads();
}

// One operator on one shape.
struct Row {
  std::string op, shape;
  bool bf16;
  double flop;  // 0: bound by memory; then `bytes` counts
  double bytes = 0;
};

class Bench {
 public:
  Bench(std::string only, const char* csv, std::string shape)
      : only_(std::move(only)), shape_(std::move(shape)), csv_(csv ? std::fopen(csv, "a") : nullptr) {
    if (csv_ && std::ftell(csv_) == 0)
      std::fputs("date,machine,threads,operator,shape,precision,ms,gflops,gbytes_per_second,share_of_peak,working_mb\n",
                 csv_);
  }
  ~Bench() {
    if (csv_) std::fclose(csv_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  bool wants(const std::string& op) const { return op.find(only_) != std::string::npos; }
  bool wants(const std::string& op, const std::string& shape) const {
    return wants(op) && shape.find(shape_) != std::string::npos;
  }

  uint64_t random(int64_t count, bool bf16 = false) {
    std::vector<float> values(static_cast<size_t>(count));
    std::normal_distribution<float> normal(0, 0.05F);
    for (float& x : values) x = normal(bits_);
    if (!bf16) return upload(values.data(), values.size());
    std::vector<uint16_t> halves;
    for (const float x : values) halves.push_back(lethe::to_bf16(x));
    return upload(halves.data(), halves.size());
  }
  template <class Value>
  uint64_t upload(const Value* values, size_t count) {
    const uint64_t id = store_.allocate(1, count * sizeof(Value), sizeof(Value) == 2);
    store_.write(id, 0, values, count * sizeof(Value));
    return id;
  }
  // The median of at least five runs and a third of a second, each next to a look at the peak.
  void run(const Row& row, const std::vector<double>& numbers) {
    size_t index = 0;
    while (lethe::operators()[index].name != row.op) ++index;
    const auto once = [&] { lethe::call(lethe::cpu_device(), store_, index, numbers); };
    const double memory = working_mb(once);
    std::vector<double> times, peaks;
    for (double total = 0; times.size() < 5 || (total < 333 && times.size() < 1000); total += times.back()) {
      peaks.push_back(peak_now(row.bf16));
      times.push_back(elapsed_ms(once));
    }
    print(row, median(times), median(peaks), memory);
  }

 private:
  void print(const Row& row, double ms, double peak, double memory) {
    const double rate = row.flop / ms / 1e6, share = rate / peak, traffic = row.bytes / ms / 1e6;
    const char* precision = row.bf16 ? "bf16" : "fp32";
    std::printf("%-20s %-26s %-4s %9.3f ms %6.1f MB", row.op.c_str(), row.shape.c_str(), precision, ms, memory);
    if (row.flop > 0)
      std::printf(" %8.1f GFLOP/s %5.1f%% of %.0f\n", rate, 100 * share, peak);
    else
      std::printf(" %8.1f GB/s\n", traffic);
    std::fflush(stdout);
    if (!csv_) return;
    const std::time_t now = std::time(nullptr);
    char date[16];
    std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
    std::fprintf(csv_, "%s,%s,%d,%s,%s,%s,%.4f,%.1f,%.1f,%.3f,%.1f\n", date, machine().c_str(),
                 lethe::cpu::num_threads(), row.op.c_str(), row.shape.c_str(), precision, ms, rate, traffic, share,
                 memory);
  }

  static std::string machine() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);)
      if (line.starts_with("model name")) return '"' + line.substr(line.find(": ") + 2) + '"';
    return "unknown";
  }

  std::string only_, shape_;
  std::FILE* csv_;
  lethe::BufferStore store_;
  std::mt19937 bits_{1};
};

std::string text(double x) { return std::to_string(static_cast<int64_t>(x)); }

void linear(Bench& bench, double N, double I, double O, bool bf16) {
  if (!bench.wants("linear") && !bench.wants("linear_backward")) return;
  const auto random = [&](double count) { return static_cast<double>(bench.random(static_cast<int64_t>(count))); };
  const auto activation = [&](double count) {
    return static_cast<double>(bench.random(static_cast<int64_t>(count), bf16));
  };
  const std::string shape = text(N) + "x" + text(I) + "x" + text(O);
  const double x = activation(N * I), w = random(O * I), y = activation(N * O), dx = activation(N * I);
  const double dw = random(O * I);
  if (bench.wants("linear")) bench.run({"linear", shape, bf16, 2 * N * I * O}, {N, I, O, x, w, 0, y});
  if (bench.wants("linear_backward"))
    bench.run({"linear_backward", shape, bf16, 4 * N * I * O}, {N, I, O, x, w, y, dx, dw, 0, 0});
}

void attention(Bench& bench, double B, double T, double H, double K, double D, bool bf16) {
  if (!bench.wants("attention") && !bench.wants("attention_backward")) return;
  const auto random = [&](double count) { return static_cast<double>(bench.random(static_cast<int64_t>(count))); };
  const auto activation = [&](double count) {
    return static_cast<double>(bench.random(static_cast<int64_t>(count), bf16));
  };
  std::vector<int32_t> first(static_cast<size_t>(B * T)), last;
  for (size_t i = 0; i < first.size(); ++i) last.push_back(static_cast<int32_t>(i % static_cast<size_t>(T)));
  const auto f = static_cast<double>(bench.upload(first.data(), first.size()));
  const auto l = static_cast<double>(bench.upload(last.data(), last.size()));
  const double q = activation(B * T * H * D), k = activation(B * T * K * D), v = activation(B * T * K * D);
  const double y = activation(B * T * H * D), lse = random(B * H * T), dy = activation(B * T * H * D);
  const double dq = activation(B * T * H * D), dk = activation(B * T * K * D), dv = activation(B * T * K * D);
  const double scale = 1 / std::sqrt(D), flop = 2 * B * H * T * (T + 1) / 2 * D;
  const std::string shape = "B" + text(B) + " T" + text(T) + " H" + text(H) + " K" + text(K) + " D" + text(D);
  if (bench.wants("attention"))
    bench.run({"attention", shape, bf16, 2 * flop}, {B, T, T, H, K, D, q, k, v, f, l, y, lse, scale});
  if (bench.wants("attention_backward"))
    bench.run({"attention_backward", shape, bf16, 5 * flop},
              {B, T, T, H, K, D, q, k, v, f, l, y, lse, dy, dq, dk, dv, scale});
}

void unlearn_head(Bench& bench, double N, double D, double V, bool bf16) {
  const std::string shape = text(N / 2) + "+" + text(N - N / 2) + " D" + text(D) + " V" + text(V);
  if (!bench.wants("unlearn_head", shape)) return;
  const auto random = [&](double count) { return static_cast<double>(bench.random(static_cast<int64_t>(count))); };
  const auto activation = [&](double count) {
    return static_cast<double>(bench.random(static_cast<int64_t>(count), bf16));
  };
  std::vector<int32_t> targets;
  for (int i = 0; i < int(N); ++i) targets.push_back(i * 7919 % int(V));
  const auto y = static_cast<double>(bench.upload(targets.data(), targets.size()));
  const double forget = N / 2, M = N - forget, h = activation(N * D), w = random(V * D), h0 = activation(M * D);
  const double w0 = activation(V * D), sums = random(8), dh = activation(N * D), dw = random(V * D);
  bench.run({"unlearn_head", shape, bf16, (3 * forget + 4 * M) * 2 * D * V},
            {N, M, D, V, h, w, y, h0, w0, sums, dh, dw, 0, 0, 0, 1e-4, 1e-3, 1e-3, forget, 0, 0, 0});
}

// Bound by memory: bytes that must move.
void elementwise(Bench& bench, double N) {
  const auto random = [&] { return static_cast<double>(bench.random(static_cast<int64_t>(N))); };
  const double a = random(), b = random(), c = random(), d = random(), e = random(), one = double(bench.random(1));
  const std::string shape = text(N);
  const auto row = [&](const char* op, double tensors) { return Row{op, shape, false, 0, 4 * N * tensors}; };
  if (bench.wants("swiglu")) bench.run(row("swiglu", 3), {1, N, a, b, c});
  if (bench.wants("swiglu_backward")) bench.run(row("swiglu_backward", 5), {1, N, a, b, c, d, e});
  if (bench.wants("adamw")) bench.run(row("adamw", 7), {N, a, b, c, d, 1e-4, 0.9, 0.95, 1e-8, 0.1, 1, 1});
  if (bench.wants("global_norm")) bench.run(row("global_norm", 1), {N, a, one});
  if (bench.wants("fill")) bench.run(row("fill", 1), {N, a, 0});
}

}  // namespace

int main(int count, char** arguments) {
  if (count > 1) lethe::cpu::set_num_threads(std::atoi(arguments[1]));
  const auto& runtime = lethe::cpu::runtime();
  std::printf("%s%s, oneDNN %s, %d threads; medians, peak measured between runs\n", runtime.simd.c_str(),
              runtime.bf16 ? " with bf16" : "", runtime.onednn.c_str(), lethe::cpu::num_threads());
  Bench bench(count > 2 ? arguments[2] : "", count > 3 ? arguments[3] : nullptr, count > 4 ? arguments[4] : "");
  for (const bool bf16 : {false, true}) {
    linear(bench, 1, 512, 512, bf16);
    linear(bench, 2048, 256, 688, bf16);
    linear(bench, 2048, 512, 512, bf16);
    linear(bench, 2048, 512, 1376, bf16);
    linear(bench, 2048, 1376, 512, bf16);
    linear(bench, 512, 2048, 5504, bf16);
    unlearn_head(bench, 8192, 256, 8192, bf16);
    unlearn_head(bench, 4096, 512, 16384, bf16);
    for (const double D : {512.0, 2048.0})
      for (const double V : {32000.0, 64000.0}) unlearn_head(bench, 1024, D, V, bf16);
    attention(bench, 8, 512, 8, 8, 32, bf16);
    attention(bench, 4, 512, 8, 8, 64, bf16);
    attention(bench, 1, 512, 16, 16, 128, bf16);
    attention(bench, 4, 256, 8, 8, 64, bf16);
    attention(bench, 1, 1024, 8, 4, 64, bf16);
    attention(bench, 1, 2048, 8, 8, 128, bf16);
  }
  elementwise(bench, 1 << 17);
  elementwise(bench, 1 << 23);
}
