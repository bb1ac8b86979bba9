#include "app/bench.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>

#include "app/logging.h"
#include "base/json_writer.h"
#include "cli/commands.h"
#include "cli/model_loading.h"
#include "cli/model_options.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/standard_streams.h"
#include "hub/model_locator.h"

namespace embedding::cli {
namespace {

constexpr double kGiga = 1e9;

struct BenchOptions {
  app::Configuration configuration;
  uint64_t seconds = 3;
  bool json = false;
};

void AddBenchOptions(CLI::App& app, BenchOptions& options) {
  AddModelOptions(app, options.configuration);
  app.add_option("--seconds", options.seconds, "How long each kind of request is repeated")
      ->capture_default_str()
      ->transform(WholeNumber(0, 3600));
  app.add_option("--json", options.json, "Prints an object of JSON for each kind, on a line")
      ->transform(Switch())
      ->default_str("false");
}

std::string Row(const app::BenchCase& bench, const app::BenchResult& result, double limit) {
  const std::string share =
      result.flops > 0 && limit > 0 ? fmt::format("{:.0f} %", 100 * result.flops / limit) : "-";
  return fmt::format("{:<26}{:>9.1f}{:>10.0f}{:>11.2f}{:>10.2f}{:>10.1f}{:>8}", bench.name,
                     result.texts_per_s, result.tokens_per_s, result.median_ms, result.p95_ms,
                     result.flops / kGiga, share);
}

// Rounded to what a f32 shows.
void AppendNumber(JsonWriter& json, const char* name, double value) {
  (void)json.Key(name).Float(static_cast<float>(value));
}

std::string JsonRow(const app::BenchCase& bench, const app::BenchResult& result, double limit) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("name").String(bench.name).Key("clients").Integer(bench.clients);
  json.Key("texts").Integer(bench.texts).Key("requests").Integer(result.requests);
  AppendNumber(json, "texts_per_second", result.texts_per_s);
  AppendNumber(json, "tokens_per_second", result.tokens_per_s);
  AppendNumber(json, "median_ms", result.median_ms);
  AppendNumber(json, "p95_ms", result.p95_ms);
  AppendNumber(json, "flops", result.flops);
  if (limit > 0) AppendNumber(json, "machine_flops", limit);
  json.EndObject();
  return text;
}

Status Run(const BenchOptions& options) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Embedder> embedder, LoadShown(options.configuration));
  const ModelInfo& info = embedder->info();
  const Result<std::string> directory =
      LocateModel(options.configuration.models.front(), options.configuration.revision);
  const app::EncoderSize size =
      directory.ok() ? app::EncoderSizeOf(*directory) : app::EncoderSize();
  const bool is_cpu = info.device == "cpu";
  const double limit = is_cpu ? app::MachineLimit() : 0;
  if (!options.json) {
    const std::string reached =
        is_cpu ? fmt::format("; f32 multiply-adds reach {:.0f} GFLOP/s here", limit / kGiga) : "";
    app::Print(fmt::format("{} in {} on {}{}\n\n{:<26}{:>9}{:>10}{:>11}{:>10}{:>10}{:>8}",
                           info.name, info.dtype, info.device, reached, "", "texts/s", "tokens/s",
                           "median ms", "p95 ms", "GFLOP/s", "share"));
  }
  for (const app::BenchCase& bench : app::BenchCases(info)) {
    ASSIGN_OR_RETURN(const app::BenchResult result,
                     app::RunBench(*embedder, bench, size, std::chrono::seconds(options.seconds)));
    app::Print(options.json ? JsonRow(bench, result, limit) : Row(bench, result, limit));
  }
  return FlushStandardOutput();
}

}  // namespace

void DescribeBench(CLI::App& app) {
  static BenchOptions options;
  AddBenchOptions(app, options);
}

int Bench(int argc, char** argv) {
  BenchOptions options;
  CLI::App app(
      "Times what this machine does with a model, without HTTP. share is of what f32 multiply-adds "
      "on registers reach on all CPUs; products of bf16 and int8 may exceed it. A GPU has no "
      "share.",
      "embedding-service bench");
  AddBenchOptions(app, options);
  if (const Status logging = app::StartLogging({.level = "warn"}); !logging.ok())
    return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  if (const Status sound = app::Complete(options.configuration); !sound.ok())
    return Report(sound.error());
  const Status done = Run(options);
  return done.ok() ? kExitOk : Report(done.error());
}

}  // namespace embedding::cli
