#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/ask_server.h"
#include "app/configuration.h"
#include "app/embed_lines.h"
#include "app/logging.h"
#include "app/models.h"
#include "cli/commands.h"
#include "cli/line_files.h"
#include "cli/model_loading.h"
#include "cli/model_options.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/usage_error.h"

namespace embedding::cli {
namespace {

constexpr uint64_t kMostDimensions = 1'000'000;

struct EmbedOptions {
  app::Configuration configuration;
  std::vector<std::string> texts;
  EmbedRequest request;
  std::string url;
  std::vector<std::string> api_keys;  // of which one is sent
  std::string output;
  bool resume = false;
  bool strict = false;
};

void AddEmbedOptions(CLI::App& app, EmbedOptions& options) {
  AddModelOptions(app, options.configuration);
  const auto add_switch = [&app](const char* name, bool& value, const char* description) {
    app.add_option(name, value, description)
        ->transform(Switch())
        ->default_str(value ? "true" : "false");
  };
  app.add_option("TEXT", options.texts, "The texts; without any the lines of standard input")
      ->transform(OptionalText("a text"));
  EmbedRequest& request = options.request;
  app.add_option_function<std::string>(
         "--prompt-name", [&request](const std::string& name) { request.prompt_name = name; },
         "Which of the model's prompts is put before each text")
      ->transform(Text("a prompt's name"));
  app.add_option_function<size_t>(
         "--dimensions", [&request](size_t dimensions) { request.dimensions = dimensions; },
         "Keeps the first components of the dense vectors")
      ->transform(WholeNumber(1, kMostDimensions));
  add_switch("--normalize", request.normalize, "Dense vectors of length 1");
  add_switch("--truncate", request.truncate,
             "Cuts a text that is too long; false makes it an error");
  add_switch("--dense", request.outputs.dense, "Gives dense vectors, as embedding");
  add_switch("--sparse", request.outputs.lexical_weights,
             "Gives weights of token ids, as lexical_weights");
  add_switch("--colbert", request.outputs.colbert_vecs,
             "Gives a vector for each token, as colbert_vecs");
  add_switch("--strict", options.strict,
             "Ends at the first text that cannot be embedded; else its line has the error");
  app.add_option("--url", options.url,
                 "A server that is asked, http://127.0.0.1:8001 say, in place of a model here; "
                 "which model, and how it computes, is its affair")
      ->transform(OptionalText("a URL"));
  app.add_option("--api-key", options.api_keys,
                 "The key that the server of --url wants; better in the environment")
      ->transform(ApiKey());
  app.add_option("--output", options.output, "A file to write to, in place of standard output")
      ->transform(OptionalText("a file's name"));
  add_switch("--resume", options.resume,
             "Goes on with the file of --output behind the lines that are whole in it");
}

// Reads on to the line behind those that are there.
Status Skip(const app::NextText& next, uint64_t lines) {
  for (uint64_t i = 0; i < lines; ++i) {
    ASSIGN_OR_RETURN(const std::optional<std::string> text, next());
    if (!text) return UsageError("--resume: the output has {} lines, the texts {}", lines, i);
  }
  return {};
}

app::NextText TextsOf(const EmbedOptions& options, LineReader& reader) {
  if (options.texts.empty()) return [&reader] { return reader.Next(); };
  return [&options, i = size_t{0}]() mutable -> Result<std::optional<std::string>> {
    if (i == options.texts.size()) return std::optional<std::string>();
    return std::optional<std::string>(options.texts[i++]);
  };
}

Result<app::LinesReport> Run(const EmbedOptions& options) {
  const Outputs& wanted = options.request.outputs;
  if (!wanted.dense && !wanted.lexical_weights && !wanted.colbert_vecs)
    return UsageError(
        "--dense: false leaves nothing to give; --sparse or --colbert adds something");
  if (options.resume && options.output.empty())
    return UsageError("--resume: there is nothing to go on with without --output");
  LineWriter writer;
  if (!options.output.empty()) {
    ASSIGN_OR_RETURN(LineWriter file, LineWriter::Open(options.output, options.resume));
    writer = std::move(file);
  }
  std::unique_ptr<Embedder> embedder;
  app::AskTexts ask;
  if (options.url.empty()) {
    ASSIGN_OR_RETURN(embedder, LoadShown(options.configuration));
    ask = app::AskHere(*embedder, options.request);
  } else {
    const std::string key = options.api_keys.empty() ? "" : options.api_keys.front();
    ask = app::AskServer(options.url, key, options.request);
  }
  LineReader reader(stdin);
  const app::NextText next = TextsOf(options, reader);
  RETURN_IF_ERROR(Skip(next, writer.lines()));
  std::optional<ProgressBar> bar;
  if (::isatty(STDERR_FILENO) == 1 && options.texts.empty()) bar.emplace(1, "texts");
  return app::EmbedLines(
      ask, wanted, writer.lines() + 1, options.strict, next,
      [&writer](std::string_view lines) { return writer.Write(lines); },
      [&bar](uint64_t lines) {
        if (bar) bar->Show("embedded", lines, 0);
      });
}

}  // namespace

void DescribeEmbed(CLI::App& app) {
  static EmbedOptions options;
  AddEmbedOptions(app, options);
}

int Embed(int argc, char** argv) {
  EmbedOptions options;
  CLI::App app(
      "Turns texts into vectors, in this process or by the server of --url: an object of JSON on a "
      "line of its own for each, "
      "in their order. Exit code 1 if one could not be embedded.",
      "embedding-service embed");
  AddEmbedOptions(app, options);
  if (const Status logging = app::StartLogging({.level = "warn"}); !logging.ok())
    return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  if (const Status sound = app::Complete(options.configuration); !sound.ok())
    return Report(sound.error());
  const Result<app::LinesReport> report = Run(options);
  if (!report.ok()) return Report(report.error());
  if (report->failed == 0) return kExitOk;
  return Report({ErrorCode::kInternal,
                 fmt::format("{} of {} texts could not be embedded; their lines say why",
                             report->failed, report->lines),
                 ""});
}

}  // namespace embedding::cli
