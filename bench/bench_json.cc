// What an answer of 100 vectors of 1,024 floats costs to write, on one thread.
#include <benchmark/benchmark.h>

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "api/json_writer.h"

namespace embedding {
namespace {

void WriteVectors(benchmark::State& state) {
  constexpr size_t kVectors = 100;
  constexpr size_t kDimension = 1024;
  std::mt19937 generator(1);
  // As the components of a vector of length 1.
  std::normal_distribution<float> normal(0, 1 / std::sqrt(static_cast<float>(kDimension)));
  std::vector<float> values(kVectors * kDimension);
  for (float& x : values) x = normal(generator);
  size_t bytes = 0;
  for (auto _ : state) {
    std::string body;
    body.reserve(values.size() * api::kMaxJsonFloatChars);
    for (size_t i = 0; i < kVectors; ++i) {
      if (!api::AppendJsonFloats(std::span(values).subspan(i * kDimension, kDimension), body)) {
        return state.SkipWithError("a value is not finite");
      }
    }
    bytes = body.size();
    benchmark::DoNotOptimize(body.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

BENCHMARK(WriteVectors)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace embedding
