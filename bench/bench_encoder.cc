// Text to vector through the library: `texts` copies of different texts of about `words` words.
//   BENCH_MODEL=DIR embedding-bench --benchmark_filter=Embed
#include <benchmark/benchmark.h>

#include "bench/texts.h"
#include "embedding/engine.h"

namespace embedding {
namespace {

const std::string kModel = BenchModel("BENCH_MODEL", "models/all-MiniLM-L6-v2");

Embedder* SharedEmbedder() {
  static auto embedder = Embedder::Load({.model_directory = kModel});
  if (!embedder.ok()) {
    std::fprintf(stderr, "%s\n", embedder.error().message.c_str());
    std::exit(1);
  }
  return embedder->get();
}

void Embed(benchmark::State& state) {
  Embedder* embedder = SharedEmbedder();
  EmbedRequest request;
  for (size_t i = 0; request.texts.size() < static_cast<size_t>(state.range(0)); ++i) {
    std::string text;
    for (size_t k = 0; k < static_cast<size_t>(state.range(1)); ++k) {
      text += BenchTexts()[(i * 7 + k) % BenchTexts().size()] + " ";
    }
    request.texts.push_back(text);
  }
  size_t tokens = 0;
  for (auto _ : state) {
    auto response = embedder->Embed(request);
    if (!response.ok()) return state.SkipWithError(response.error().message.c_str());
    tokens += response->prompt_tokens;
  }
  state.counters["tokens"] = static_cast<double>(tokens) / static_cast<double>(state.iterations());
  state.counters["tokens/s"] =
      benchmark::Counter(static_cast<double>(tokens), benchmark::Counter::kIsRate);
}
BENCHMARK(Embed)
    ->ArgNames({"texts", "strings"})
    ->Args({1, 1})
    ->Args({10, 1})
    ->Args({100, 1})
    ->Args({1, 50})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

}  // namespace
}  // namespace embedding
