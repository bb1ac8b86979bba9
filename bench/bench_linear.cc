// A layer's four matrix products, of bge-m3's shapes, as a share of the machine's measured peak.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "backends/cpu/input_matrix.h"
#include "backends/cpu/linear.h"
#include "backends/cpu/panel_linear.h"
#include "backends/peak.h"
#include "base/aligned_buffer.h"
#include "bench/team.h"

namespace embedding {
namespace {

void LinearOf(benchmark::State& state, LinearTypes types) {
  const auto rows = static_cast<size_t>(state.range(0));
  const auto in = static_cast<size_t>(state.range(1));
  const auto out = static_cast<size_t>(state.range(2));
  // Random: numbers that are alike cost a processor less power, and some are faster for it.
  std::minstd_rand random(1);
  std::uniform_real_distribution<float> number(-1, 1);
  const auto numbers = [&](size_t size) {
    std::vector<float> made(size);
    for (float& x : made) x = number(random);
    return made;
  };
  const std::vector<float> weight = numbers(in * out);
  const std::vector<float> bias = numbers(out);
  InputMatrix input(types.weight);
  input.Resize(rows, in);
  for (size_t r = 0; r < rows; ++r) input.Set(r, numbers(in).data());
  AlignedBuffer<uint8_t> output(rows * out * DTypeBytes(types.output));
  const auto activation = state.range(3) != 0 ? Activation::kGelu : Activation::kIdentity;
  const auto linear = PackLinear(Team(), types, {weight, bias, in, out}, activation);
  for (auto _ : state) {
    linear->Run(input.View(0, rows), {output.data(), rows, out}, {});
    benchmark::DoNotOptimize(output.data());
  }
  const double operations = 2.0 * static_cast<double>(rows * in * out);
  state.counters["GFLOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_f32_peak"] = benchmark::Counter(
      operations / MeasuredPeakF32(), benchmark::Counter::kIsIterationInvariantRate);
}

// The products whose outputs go to the next product, and those that go to the residual stream.
void Inner(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "in", "out", "gelu"})
      ->ArgsProduct({{1, 20, 64, 512}, {1024}, {3072}, {0}})
      ->ArgsProduct({{1, 20, 64, 512}, {1024}, {4096}, {1}})
      ->UseRealTime();
}
void Residual(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"rows", "in", "out", "gelu"})
      ->ArgsProduct({{1, 20, 64, 512}, {1024, 4096}, {1024}, {0}})
      ->UseRealTime();
}

void LinearF32(benchmark::State& state) { LinearOf(state, {}); }
void LinearF16(benchmark::State& state) { LinearOf(state, {DType::kF16}); }
template <DType kOutput>
void LinearBf16(benchmark::State& state) {
  if (!PanelsMultiplyBf16()) return state.SkipWithError("this processor does not multiply bf16");
  LinearOf(state, {DType::kBF16, kOutput});
}
template <DType kOutput>
void LinearInt8(benchmark::State& state) {
  LinearOf(state, {DType::kI8, kOutput});
}

BENCHMARK(LinearF32)->Apply(Inner)->Apply(Residual);
BENCHMARK(LinearF16)->Apply(Inner)->Apply(Residual);
BENCHMARK(LinearBf16<DType::kBF16>)->Apply(Inner);
BENCHMARK(LinearBf16<DType::kF32>)->Apply(Residual);
BENCHMARK(LinearInt8<DType::kBF16>)->Apply(Inner);
BENCHMARK(LinearInt8<DType::kF32>)->Apply(Inner)->Apply(Residual);

}  // namespace
}  // namespace embedding
