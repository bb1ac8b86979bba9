// Attention of one bge-m3 layer: 16 heads of 64 components.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include "backends/cpu/attention.h"
#include "backends/peak.h"
#include "bench/team.h"

namespace embedding {
namespace {

// T is float or BFloat16.
template <typename T>
void Attention(benchmark::State& state) {
  constexpr size_t kHeads = 16;
  constexpr size_t kHeadDim = 64;
  const auto length = static_cast<size_t>(state.range(0));
  const auto sequences = static_cast<size_t>(state.range(1));
  const size_t hidden = kHeads * kHeadDim;
  std::mt19937 generator(1);
  std::normal_distribution<float> normal;
  std::vector<T> qkv(length * sequences * 3 * hidden);
  for (T& x : qkv) x = T(normal(generator));
  std::vector<T> out(length * sequences * hidden);
  std::vector<uint32_t> offsets;
  for (size_t s = 0; s <= sequences; ++s) offsets.push_back(static_cast<uint32_t>(s * length));
  embedding::Attention attention;
  attention.heads = attention.kv_heads = kHeads;
  attention.head_dim = kHeadDim;
  attention.scale = 0.125F;
  for (auto _ : state) {
    PackedAttention(Team(), attention, {}, qkv.data(), offsets, {}, out.data());
    benchmark::DoNotOptimize(out.data());
  }
  const double operations = 4.0 * static_cast<double>(length * length * hidden * sequences);
  state.counters["GFLOPS"] =
      benchmark::Counter(operations * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["share_of_peak"] = benchmark::Counter(
      operations / MeasuredPeakF32(), benchmark::Counter::kIsIterationInvariantRate);
}

void Lengths(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"tokens", "sequences"})
      ->Args({20, 1})
      ->Args({20, 100})
      ->Args({727, 1})
      ->Args({8000, 1})
      ->UseRealTime();
}

BENCHMARK(Attention<float>)->Apply(Lengths);
BENCHMARK(Attention<BFloat16>)->Apply(Lengths);

}  // namespace
}  // namespace embedding
