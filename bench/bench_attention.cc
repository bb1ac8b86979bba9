// Attention of one bge-m3 layer: 16 heads of 64 components.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "backends/cpu/attention.h"
#include "bench/peak.h"

namespace embedding {
namespace {

void Attention(benchmark::State& state) {
  constexpr size_t kHeads = 16;
  constexpr size_t kHeadDim = 64;
  const auto length = static_cast<size_t>(state.range(0));
  const auto sequences = static_cast<size_t>(state.range(1));
  const size_t hidden = kHeads * kHeadDim;
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<float> qkv(length * sequences * 3 * hidden);
  for (float& x : qkv) x = normal(generator);
  std::vector<float> out(length * sequences * hidden);
  std::vector<uint32_t> offsets;
  for (size_t s = 0; s <= sequences; ++s) offsets.push_back(static_cast<uint32_t>(s * length));
  for (auto _ : state) {
    PackedAttention(qkv.data(), offsets, kHeads, kHeadDim, offsets.back(), out.data());
    benchmark::DoNotOptimize(out.data());
  }
  const double operations = 4.0 * static_cast<double>(length * length * hidden * sequences);
  state.counters["GFLOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_peak"] = benchmark::Counter(
      operations / MeasuredPeakF32(), benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK(Attention)
    ->ArgNames({"tokens", "sequences"})
    ->Args({20, 1})
    ->Args({20, 100})
    ->Args({727, 1})
    ->Args({8000, 1})
    ->UseRealTime();

}  // namespace
}  // namespace embedding
