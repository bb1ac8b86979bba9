// What a request of 100 texts costs to read, and an answer of 100 vectors of 1,024 floats to write,
// on one thread.
#include <benchmark/benchmark.h>

#include <cmath>
#include <cstddef>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "api/json_reader.h"
#include "base/json_writer.h"

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
    body.reserve(values.size() * JsonWriter::kMaxFloatChars);
    JsonWriter json(body);
    if (!json.Rows(values, kDimension).ok()) return state.SkipWithError("a value is not finite");
    bytes = body.size();
    benchmark::DoNotOptimize(body.data());
  }
  state.counters["bytes"] = static_cast<double>(bytes);
}

// {"<field>":[<item>,...],"normalize":true}
std::string Body(std::string_view field, std::string_view item, size_t count) {
  std::string body = "{\"";
  body.append(field).append("\":[");
  for (size_t i = 0; i < count; ++i) body.append(i > 0 ? "," : "").append(item);
  return body + "],\"normalize\":true}";
}

// Reads `body` again and again: `read` has the reader's word for whether all went well.
template <typename Read>
void ReadBodies(benchmark::State& state, const std::string& body, const Read& read) {
  std::string received;  // reading may put it right, so each time it is a copy
  for (auto _ : state) {
    received = body;
    api::JsonReader json;
    if (!json.Parse(received).ok() || !read(json)) return state.SkipWithError("not read");
  }
  state.counters["bytes"] = static_cast<double>(body.size());
}

void ReadTexts(benchmark::State& state) {
  std::string text = "\"";
  for (int i = 0; i < 8; ++i) text += R"(A text like many, with \"quotes\" and Кириллица. )";
  ReadBodies(state, Body("texts", text + '"', 100), [](const api::JsonReader& json) {
    const auto texts = json.Texts("texts", 100);
    return texts.ok() && json.Bool("normalize", false).ok() && texts->size() == 100;
  });
}

void ReadTokenIds(benchmark::State& state) {
  std::string ids = "[0";
  for (int i = 1; i < 512; ++i) ids += "," + std::to_string(i * 487 % 250'000);
  ReadBodies(state, Body("input", ids + ']', 100), [](const api::JsonReader& json) {
    const auto inputs = json.TextsOrIds("input", 100);
    return inputs.ok() && inputs->input_ids.size() == 100;
  });
}

BENCHMARK(ReadTexts)->Unit(benchmark::kMillisecond);
BENCHMARK(ReadTokenIds)->Unit(benchmark::kMillisecond);
BENCHMARK(WriteVectors)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace embedding
