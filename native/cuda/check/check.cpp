// lethe_cuda_check: every operator against the fp64 reference on random inputs.
//   lethe_cuda_check [--small] [--repeat N] [--seed N] [--only OPERATOR]
// Prints a line per operator and what fails; exits 1 if anything does, 77 where there is no GPU.
#include <cstdio>
#include <cstdlib>
#include <cstring>

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

}  // namespace

int main(int count, char** words) {
  const Options options = parse(count, words);
  setenv("LETHE_HEAD_LOGITS", "fp32", 0);  // what the error budget is for; fp16 logits are checked by head_accuracy.py
  lethe::Device* device = nullptr;
  try {
    device = &lethe::cuda_device();
  } catch (const lethe::Error& error) {
    std::printf("SKIPPED: %s\n", error.what());
    return 77;
  }
  std::map<std::string, Tally> tallies;
  for (const lethe::check::RandomCall& call : lethe::check::calls(options.small)) {
    if (options.only && call.op != options.only) continue;
    for (int i = 0; i < options.repeat; ++i) {
      Tally& tally = tallies[call.op];
      lethe::check::Comparison comparison;
      try {
        comparison = compare(call, *device, 2, options.seed + static_cast<uint64_t>(i));
      } catch (const lethe::Error& error) {
        comparison = {false, 0, call.text() + ": " + error.what()};
      }
      ++(comparison.holds ? tally.passed : tally.failed);
      tally.worst = std::max(tally.worst, comparison.worst);
      if (!comparison.holds) std::printf("FAILED: %s\n", comparison.failure.c_str());
    }
  }
  int failed = 0;
  for (const auto& [op, tally] : tallies) {
    std::printf("%-20s %5d passed %5d failed, largest error %.2f of the budget\n", op.c_str(), tally.passed,
                tally.failed, tally.worst);
    failed += tally.failed;
  }
  return failed > 0;
}
