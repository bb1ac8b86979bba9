// Matrix products of bge-m3's shapes, as a share of the machine's measured peak.
#include <benchmark/benchmark.h>

#include <vector>

#include "backends/cpu/matmul.h"
#include "bench/peak.h"

namespace embedding {
namespace {

void MatMul(benchmark::State& state) {
  const auto rows = static_cast<size_t>(state.range(0));
  const auto in = static_cast<size_t>(state.range(1));
  const auto out = static_cast<size_t>(state.range(2));
  const auto activation = state.range(3) != 0 ? Activation::kGelu : Activation::kIdentity;
  const std::vector<float> weight(in * out, 0.01F);
  const std::vector<float> bias(out, 0.01F);
  const std::vector<float> input(rows * in, 0.5F);
  std::vector<float> output(rows * out);
  const auto matmul = PackMatMul<float, float>({weight, bias, in, out}, activation);
  for (auto _ : state) {
    matmul->Run({input.data(), rows, in}, {output.data(), rows, out});
    benchmark::DoNotOptimize(output.data());
  }
  const double operations = 2.0 * static_cast<double>(rows * in * out);
  state.counters["GFLOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_peak"] = benchmark::Counter(
      operations / MeasuredPeakF32(), benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(MatMul)
    ->ArgNames({"rows", "in", "out", "gelu"})
    ->ArgsProduct({{1, 20, 64, 512}, {1024}, {1024, 3072}, {0}})
    ->ArgsProduct({{1, 20, 64, 512}, {1024}, {4096}, {0, 1}})
    ->ArgsProduct({{1, 20, 64, 512}, {4096}, {1024}, {0}})
    ->UseRealTime();

}  // namespace
}  // namespace embedding
