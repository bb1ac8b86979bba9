#include "app/bench.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "backends/peak.h"
#include "base/json_value.h"
#include "base/mutex.h"

namespace embedding::app {
namespace {

using Clock = std::chrono::steady_clock;

// Words that every vocabulary has.
constexpr std::array kWords = {"the",   "river", "of",     "time",  "and",    "a",    "house",
                               "in",    "many",  "cities", "where", "people", "read", "books",
                               "about", "music", "water",  "light", "trees",  "small"};

// A text that no other equals: equal texts of a batch are computed once.
std::string TextOf(size_t number, size_t words) {
  std::string text = std::to_string(number);
  for (size_t i = 1; i < words; ++i)
    text.append(" ").append(kWords[(number * 7 + i * (1 + number % 5)) % kWords.size()]);
  return text;
}

struct Tally {
  Mutex mutex;
  std::vector<double> ms GUARDED_BY(mutex);
  double tokens GUARDED_BY(mutex) = 0;
  double squares GUARDED_BY(mutex) = 0;  // of the texts' tokens, which attention grows by
  Status problem GUARDED_BY(mutex);
};

Result<EmbedResponse> AskOnce(Embedder& embedder, const BenchCase& bench,
                              std::atomic<size_t>& number) {
  EmbedRequest request;
  for (size_t i = 0; i < bench.texts; ++i) request.texts.push_back(TextOf(++number, bench.words));
  request.prompt_name = embedder.info().any_route();
  request.outputs.dense = embedder.info().has_dense();
  request.outputs.logits = embedder.info().is_classifier();
  request.outputs.lexical_weights = !request.outputs.dense && !request.outputs.logits;
  return embedder.Embed(request);
}

void AskUntil(Embedder& embedder, const BenchCase& bench, Clock::time_point end,
              std::atomic<size_t>& number, Tally& tally) {
  do {
    const auto begun = Clock::now();
    const Result<EmbedResponse> response = AskOnce(embedder, bench, number);
    const std::chrono::duration<double, std::milli> took = Clock::now() - begun;
    const MutexLock lock(tally.mutex);
    if (!response.ok()) {
      tally.problem = response.error();
      return;
    }
    const auto tokens = static_cast<double>(response->prompt_tokens);
    tally.ms.push_back(took.count());
    tally.tokens += tokens;
    tally.squares += tokens * tokens / static_cast<double>(bench.texts);
  } while (Clock::now() < end);
}

}  // namespace

std::vector<BenchCase> BenchCases(const ModelInfo& info) {
  constexpr size_t kLong = 512;  // tokens, of which a word is about one
  const size_t words = std::min(kLong, info.max_input_tokens);
  std::vector<BenchCase> cases = {{"1 text", 1, 1, 16},
                                  {"10 texts", 1, 10, 16},
                                  {"100 texts", 1, 100, 16},
                                  {fmt::format("1 text of {} words", words), 1, 1, words},
                                  {fmt::format("10 texts of {} words", words), 1, 10, words},
                                  {"16 clients, 1 text each", 16, 1, 16}};
  if (info.device == "cpu") return cases;
  // What fills a GPU.
  for (const size_t length : {size_t{16}, size_t{128}, words})
    cases.push_back({fmt::format("4 clients, 100 x {} words", length), 4, 100, length});
  return cases;
}

EncoderSize EncoderSizeOf(const std::string& directory) {
  const auto json = JsonValue::ObjectFromFile(directory + "/config.json");
  if (!json.ok()) return {};
  const auto layers = json->Number("num_hidden_layers");
  const auto hidden = json->Number("hidden_size");
  const auto intermediate = json->Number("intermediate_size");
  if (!layers.ok() || !hidden.ok() || !intermediate.ok()) return {};
  return {*layers, *hidden, *intermediate};
}

Result<BenchResult> RunBench(Embedder& embedder, const BenchCase& bench, const EncoderSize& size,
                             std::chrono::milliseconds duration) {
  std::atomic<size_t> number = 0;
  ASSIGN_OR_RETURN(const EmbedResponse warm, AskOnce(embedder, bench, number));
  (void)warm;
  Tally tally;
  const auto begun = Clock::now();
  std::vector<std::thread> clients;
  for (size_t i = 0; i < bench.clients; ++i) {
    clients.emplace_back([&] { AskUntil(embedder, bench, begun + duration, number, tally); });
  }
  for (std::thread& client : clients) client.join();
  const std::chrono::duration<double> took = Clock::now() - begun;
  const MutexLock lock(tally.mutex);
  RETURN_IF_ERROR(tally.problem);
  std::sort(tally.ms.begin(), tally.ms.end());
  BenchResult result;
  result.requests = tally.ms.size();
  result.texts_per_s = static_cast<double>(result.requests * bench.texts) / took.count();
  result.tokens_per_s = tally.tokens / took.count();
  result.median_ms = tally.ms[tally.ms.size() / 2];
  result.p95_ms = tally.ms[tally.ms.size() * 95 / 100];
  // A multiply-add is two: of four products of attention and two of the feed-forward network for a
  // token, and of scores and sums for a pair of tokens.
  const double per_token =
      2 * size.layers * (4 * size.hidden * size.hidden + 2 * size.hidden * size.intermediate);
  const double per_pair = 4 * size.layers * size.hidden;
  result.flops = (tally.tokens * per_token + tally.squares * per_pair) / took.count();
  return result;
}

double MachineLimit() { return MeasuredPeakF32(); }

}  // namespace embedding::app
