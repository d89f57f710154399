// lethe_cuda_check: every operator against the fp64 reference on random inputs.
//   lethe_cuda_check [--small] [--repeat N] [--seed N] [--only OPERATOR]
// With LETHE_HEAD_LOGITS=fp16 the head with fp16 logits, else everything, with fp32 logits, for which the budget is.
// Prints a line per operator and what fails; exits 1 if anything does, 77 where there is no GPU.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include "cuda/check/calls.h"
#include "lethe/error.h"

namespace {

struct Tally {
  int passed = 0, failed = 0;
  double worst = 0;
};

struct Options {
  bool small = false;
  int repeat = 3;
  uint64_t seed = 1;
  const char* only = nullptr;
};

Options parse(int count, char** words) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const bool has_value = i + 1 < count;
    if (!std::strcmp(words[i], "--small")) {
      options.small = true;
    } else if (has_value && !std::strcmp(words[i], "--repeat")) {
      options.repeat = std::atoi(words[++i]);
    } else if (has_value && !std::strcmp(words[i], "--seed")) {
      options.seed = std::strtoull(words[++i], nullptr, 10);
    } else if (has_value && !std::strcmp(words[i], "--only")) {
      options.only = words[++i];
    } else {
      std::fprintf(stderr, "lethe_cuda_check: unknown argument %s\n", words[i]);
      std::exit(2);
    }
  }
  return options;
}

using Calls = std::vector<lethe::check::RandomCall>;

lethe::check::Comparison compare(const lethe::check::RandomCall& call, lethe::Device& device, uint64_t seed) {
  try {
    return lethe::check::compare(call, device, 2, seed);
  } catch (const lethe::Error& error) {
    return {false, 0, call.text() + ": " + error.what()};
  }
}

// On all cores: the reference takes far longer than the GPU.
std::map<std::string, Tally> run(const Calls& calls, lethe::Device& device, const Options& options) {
  std::map<std::string, Tally> tallies;
  std::mutex mutex;
  std::atomic<size_t> next{0};
  const auto repeat = static_cast<size_t>(options.repeat);
  const auto work = [&] {
    for (size_t i = next++; i < calls.size() * repeat; i = next++) {
      const lethe::check::RandomCall& call = calls[i / repeat];
      const auto comparison = compare(call, device, options.seed + i % repeat);
      const std::lock_guard<std::mutex> guard(mutex);
      Tally& tally = tallies[call.op];
      ++(comparison.holds ? tally.passed : tally.failed);
      tally.worst = std::max(tally.worst, comparison.worst);
      if (!comparison.holds) std::printf("FAILED: %s\n", comparison.failure.c_str());
    }
  };
  std::vector<std::thread> threads(std::max(1U, std::thread::hardware_concurrency()));
  for (std::thread& thread : threads) thread = std::thread(work);
  for (std::thread& thread : threads) thread.join();
  return tallies;
}

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  setenv("LETHE_HEAD_LOGITS", "fp32", 0);
  lethe::Device* device = nullptr;
  try {
    device = &lethe::cuda_device();
  } catch (const lethe::Error& error) {
    std::printf("SKIPPED: %s\n", error.what());
    return error.code == lethe::Code::not_available ? 77 : 1;
  }
  const bool is_half = !std::strcmp(std::getenv("LETHE_HEAD_LOGITS"), "fp16");
  Calls calls = is_half ? lethe::check::half_logit_calls(options.small) : lethe::check::calls(options.small);
  if (options.only) std::erase_if(calls, [&](const auto& call) { return call.op != options.only; });
  int failed = 0;
  for (const auto& [op, tally] : run(calls, *device, options)) {
    std::printf("%-20s %5d passed %5d failed, largest error %.2f of the budget\n", op.c_str(), tally.passed,
                tally.failed, tally.worst);
    failed += tally.failed;
  }
  return failed > 0;
}
