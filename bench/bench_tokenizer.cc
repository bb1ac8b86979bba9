// Tokenising multilingual text, in bytes a second on one thread.
//   BENCH_MODEL=DIR embedding-bench --benchmark_filter=Tokenize
// The models of scripts/fetch_tokenizers.sh do: models/tokenizers/qwen3.
// bench/compare_tokenizers.py compares.
#include <benchmark/benchmark.h>

#include "bench/texts.h"
#include "text/tokenizer.h"

namespace embedding {
namespace {

const std::string kModel = BenchModel("BENCH_MODEL", "models/all-MiniLM-L6-v2");

void LoadTokenizer(benchmark::State& state) {
  for (auto _ : state) {
    auto tokenizer = Tokenizer::FromFile(kModel + "/tokenizer.json");
    if (!tokenizer.ok()) return state.SkipWithError(tokenizer.error().message.c_str());
  }
}
BENCHMARK(LoadTokenizer)->Unit(benchmark::kMillisecond);

void Tokenize(benchmark::State& state) {
  auto tokenizer = Tokenizer::FromFile(kModel + "/tokenizer.json");
  if (!tokenizer.ok()) return state.SkipWithError(tokenizer.error().message.c_str());
  const EncodeOptions options{.with_offsets = state.range(0) != 0};
  size_t bytes = 0;
  for (auto _ : state) {
    for (const std::string& text : BenchTexts()) {
      benchmark::DoNotOptimize((*tokenizer)->Encode(text, options));
      bytes += text.size();
    }
  }
  state.SetBytesProcessed(static_cast<int64_t>(bytes));
}
// All texts as one, a line each.
void TokenizeDocument(benchmark::State& state) {
  auto tokenizer = Tokenizer::FromFile(kModel + "/tokenizer.json");
  if (!tokenizer.ok()) return state.SkipWithError(tokenizer.error().message.c_str());
  std::string document;
  for (const std::string& text : BenchTexts()) document += text + "\n";
  for (auto _ : state) benchmark::DoNotOptimize((*tokenizer)->Encode(document, {}));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(document.size()));
}
BENCHMARK(TokenizeDocument)->Unit(benchmark::kMillisecond);

BENCHMARK(Tokenize)->ArgName("offsets")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace embedding
