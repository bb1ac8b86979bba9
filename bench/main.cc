// BENCH_INSTRUCTION_SET=avx2 limits the kernels, as `serve --instruction-set avx2` does.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "backends/cpu/instruction_set.h"

int main(int argc, char** argv) {
  const char* const limit = std::getenv("BENCH_INSTRUCTION_SET");
  if (limit != nullptr && std::string_view(limit) == "avx2") {
    if (const auto limited = embedding::LimitToAvx2(); !limited.ok()) {
      std::fprintf(stderr, "%s\n", limited.error().message.c_str());
      return 1;
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
}
