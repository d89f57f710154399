// lethe_cuda_step: a whole step of unlearning through the C interface.
//   lethe_cuda_step compare [--fp32] [--steps N]    a small model's ten losses beside the reference's; exits 1 where
//   they
//                                                   differ
//   lethe_cuda_step time [--layers N] [--sequences N] [--context N] [--steps N]    the paper's 2B shape
// Exits 77 where there is no GPU.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cuda/check/model.h"
#include "lethe/error.h"

namespace {

using lethe::check::Model;
using lethe::check::ModelShape;
using lethe::check::StepLosses;

double number_after(int count, char** words, const char* name, double otherwise) {
  for (int i = 2; i + 1 < count; ++i)
    if (!std::strcmp(words[i], name)) return std::atof(words[i + 1]);
  return otherwise;
}

bool has(int count, char** words, const char* name) {
  for (int i = 2; i < count; ++i)
    if (!std::strcmp(words[i], name)) return true;
  return false;
}

int compare(lethe::Device& device, bool bf16, int steps) {
  const ModelShape shape{64, 176, 4, 2, 2, 512, 32};
  Model truth(lethe::reference_device(), 0, shape, 4, bf16, 7), fast(device, 2, shape, 4, bf16, 7);
  // Rounding of activations accumulates over layers; losses are means over 60 tokens and more.
  const double allowed = bf16 ? 1e-2 : 1e-5;
  int failed = 0;
  for (int i = 0; i < steps; ++i) {
    const StepLosses t = truth.step(1e-3), f = fast.step(1e-3);
    const double pairs[4][2] = {
        {f.forgetting, t.forgetting}, {f.replay, t.replay}, {f.mitigation, t.mitigation}, {f.norm, t.norm}};
    bool holds = true;
    for (const auto& pair : pairs)
      holds = holds && std::fabs(pair[0] - pair[1]) <= allowed * (std::fabs(pair[1]) + 0.02);
    failed += holds ? 0 : 1;
    std::printf(
        "step %d %s: forgetting %.6g (reference %.6g) replay %.6g (%.6g) mitigation %.6g (%.6g) norm %.6g (%.6g)\n", i,
        holds ? "ok" : "FAILED", f.forgetting, t.forgetting, f.replay, t.replay, f.mitigation, t.mitigation, f.norm,
        t.norm);
  }
  return failed > 0;
}

int time_steps(lethe::Device& device, int count, char** words) {
  ModelShape shape;
  shape.layers = static_cast<int64_t>(number_after(count, words, "--layers", 32));
  shape.context = static_cast<int64_t>(number_after(count, words, "--context", 4096));
  const auto sequences = static_cast<int64_t>(number_after(count, words, "--sequences", 4));
  const int steps = static_cast<int>(number_after(count, words, "--steps", 5));
  Model model(device, 2, shape, sequences, true, 7);
  model.step(5e-5);  // takes its working memory
  for (int i = 0; i < steps; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    const StepLosses losses = model.step(5e-5);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    std::printf(
        "{\"parameters\": %lld, \"tokens\": %lld, \"seconds\": %.4f, \"tflops\": %.1f, \"live_bytes\": %zu, "
        "\"replay\": %.5g, \"norm\": %.5g}\n",
        static_cast<long long>(shape.parameters()), static_cast<long long>(sequences * shape.context), seconds,
        model.flop_per_step() / seconds * 1e-12, model.live_bytes(), losses.replay, losses.norm);
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int count, char** words) {
  const bool is_compare = count > 1 && !std::strcmp(words[1], "compare");
  if (!is_compare && (count < 2 || std::strcmp(words[1], "time") != 0)) {
    std::fprintf(stderr, "lethe_cuda_step: expected compare or time\n");
    return 2;
  }
  try {
    lethe::Device& device = lethe::cuda_device();
    const int steps = static_cast<int>(number_after(count, words, "--steps", 10));
    return is_compare ? compare(device, !has(count, words, "--fp32"), steps) : time_steps(device, count, words);
  } catch (const lethe::Error& error) {
    const bool is_absent = error.code == lethe::Code::not_available;
    std::printf("%s: %s\n", is_absent ? "SKIPPED" : "FAILED", error.what());
    return is_absent ? 77 : 1;
  }
}
