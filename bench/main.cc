// BENCH_INSTRUCTION_SET=avx2 limits the kernels, as `serve --instruction-set avx2` does; so do its
// other values.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

#include "backends/cpu/instruction_set.h"

namespace {

std::optional<embedding::InstructionSet> Limit() {
  const char* const value = std::getenv("BENCH_INSTRUCTION_SET");
  const std::string_view limit = value == nullptr ? "auto" : value;
  if (limit == "auto") return embedding::InstructionSet::kBest;
  if (limit == "avx2") return embedding::InstructionSet::kAvx2;
  if (limit == "avxvnni") return embedding::InstructionSet::kAvxVnni;
  if (limit == "avx512") return embedding::InstructionSet::kAvx512;
  if (limit == "neon") return embedding::InstructionSet::kNeon;
  if (limit == "dotprod") return embedding::InstructionSet::kDotprod;
  return std::nullopt;
}

}  // namespace

int main(int argc, char** argv) {
  const auto limit = Limit();
  if (!limit) {
    std::fputs("BENCH_INSTRUCTION_SET is one of auto, avx2, avxvnni, avx512, neon, dotprod\n",
               stderr);
    return 1;
  }
  if (const auto limited = embedding::LimitInstructionSet(*limit); !limited.ok()) {
    std::fprintf(stderr, "%s\n", limited.error().message.c_str());
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
