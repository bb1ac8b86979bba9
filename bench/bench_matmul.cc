// Matrix products of bge-m3's shapes, as a share of the machine's measured peak.
#include <benchmark/benchmark.h>

#include <vector>

#include "backends/cpu/matmul.h"
#include "backends/cpu/panel_matmul.h"
#include "bench/peak.h"

namespace embedding {
namespace {

// In is float or BFloat16.
template <typename In>
void MatMul(benchmark::State& state, ComputeType type) {
  const auto rows = static_cast<size_t>(state.range(0));
  const auto in = static_cast<size_t>(state.range(1));
  const auto out = static_cast<size_t>(state.range(2));
  const auto activation = state.range(3) != 0 ? Activation::kGelu : Activation::kIdentity;
  const std::vector<float> weight(in * out, 0.01F);
  const std::vector<float> bias(out, 0.01F);
  const std::vector<In> input(rows * in, In(0.5F));
  std::vector<In> output(rows * out);
  const auto matmul = PackMatMul<In, In>({weight, bias, in, out}, activation, type);
  for (auto _ : state) {
    matmul->Run({input.data(), rows, in}, {output.data(), rows, out});
    benchmark::DoNotOptimize(output.data());
  }
  const double operations = 2.0 * static_cast<double>(rows * in * out);
  state.counters["GFLOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_f32_peak"] = benchmark::Counter(
      operations / MeasuredPeakF32(), benchmark::Counter::kIsIterationInvariantRate);
}

void Shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "in", "out", "gelu"})
      ->ArgsProduct({{1, 20, 64, 512}, {1024}, {1024, 3072}, {0}})
      ->ArgsProduct({{1, 20, 64, 512}, {1024}, {4096}, {0, 1}})
      ->ArgsProduct({{1, 20, 64, 512}, {4096}, {1024}, {0}})
      ->UseRealTime();
}

void MatMulF32(benchmark::State& state) { MatMul<float>(state, ComputeType::kF32); }
void MatMulF16(benchmark::State& state) { MatMul<float>(state, ComputeType::kF16); }
void MatMulInt8(benchmark::State& state) { MatMul<float>(state, ComputeType::kInt8); }
void MatMulBf16(benchmark::State& state) {
  if (!PanelsMultiplyBf16()) return state.SkipWithError("this processor does not multiply bf16");
  MatMul<BFloat16>(state, ComputeType::kBF16);
}
void MatMulInt8OfBf16(benchmark::State& state) { MatMul<BFloat16>(state, ComputeType::kInt8); }

BENCHMARK(MatMulF32)->Apply(Shapes);
BENCHMARK(MatMulF16)->Apply(Shapes);
BENCHMARK(MatMulBf16)->Apply(Shapes);
BENCHMARK(MatMulInt8)->Apply(Shapes);
BENCHMARK(MatMulInt8OfBf16)->Apply(Shapes);

}  // namespace
}  // namespace embedding
