#include "cli/serve_options.h"

#include <chrono>
#include <cstdint>
#include <optional>

#include "cli/logging_options.h"
#include "cli/model_options.h"
#include "cli/option_values.h"

namespace embedding::cli {
namespace {

// Bounds that no machine reaches, and whose sums and products fit into 64 bits.
constexpr uint64_t kMostTexts = 1'000'000'000;
constexpr uint64_t kMostTokens = 1'000'000'000;
constexpr uint64_t kMostBytes = 1'000'000'000'000;
// Linux lets a process have 2^20 open files unless fs.nr_open is raised.
constexpr uint64_t kMostConnections = 1'000'000;
constexpr uint64_t kMostSeconds = 1'000'000'000;

}  // namespace

void AddServeOptions(CLI::App& app, app::Configuration& options) {
  const auto add = [&app](const char* name, auto& value, const char* description,
                          const CLI::Validator& check) {
    app.add_option(name, value, description)->capture_default_str()->transform(check);
  };
  AddModelOptions(app, options);
  add("--host", options.server.host,
      "Address to listen on; a name stands for all its addresses, localhost for 127.0.0.1 and ::1",
      Word("a host's name or address"));
  add("--port", options.server.port, "Port to listen on; 0 takes a free one",
      WholeNumber(0, 65535));
  const auto add_derived = [&app](const char* name, std::optional<size_t>& value,
                                  const char* description, const char* shown,
                                  const CLI::Validator& check) {
    app.add_option_function<size_t>(
           name, [&value](size_t given) { value = given; }, description)
        ->transform(check)
        ->default_str(shown);
  };
  add_derived("--max-batch-tokens", options.engine.max_batch_tokens,
              "Tokens that are computed together; more texts wait their turn",
              "what suits the device: 2048 on a CPU", WholeNumber(1, kMostTokens));
  add_derived("--max-queue", options.max_queue,
              "Texts that may wait; a request beyond that is answered 429, one that has more by "
              "itself 422",
              "4096, or twice --max-client-batch-size", WholeNumber(1, kMostTexts));
  add_derived("--max-client-batch-size", options.service.max_client_batch_size,
              "Most texts in one request, of all routes",
              "100 for /embed with texts, 2048 for OpenAI's and Ollama's routes, 1000 for the rest",
              WholeNumber(1, kMostTexts));
  // Its value is not shown by --help.
  app.add_option(
         "--api-key", options.service.api_keys,
         "A key that requests must send, as X-API-Key or Authorization: Bearer; may be given "
         "more than once. Without any, everybody may ask. Other processes see the command "
         "line: better in the environment or the file")
      ->transform(ApiKey());
  add("--cors-origin", options.service.cors_origins,
      "An origin whose pages browsers let read the answers, as https://example.com or "
      "http://localhost:3000, or * for every one; may be given more than once",
      Word("* or an origin"));
  app.add_option(
         "--strict-model", options.service.strict_model,
         "Refuses a request for a model that is not served; else the first that fits answers")
      ->transform(Switch())
      ->default_str("false");
  add_derived("--payload-limit", options.payload_limit_bytes, "Largest body of a request in bytes",
              "49152000, or 24000 for each text of --max-client-batch-size if that is more, up to "
              "200000000",
              WholeNumber(1, kMostBytes));
  add("--answer-limit", options.service.answer_limit_bytes,
      "Bytes that all answers may take together while they are computed, written and sent",
      WholeNumber(1, kMostBytes));
  add("--max-connections", options.server.max_connections, "Most connections at a time",
      WholeNumber(1, kMostConnections));
  app.add_option_function<int>(
         "--shutdown-timeout",
         [&options](int seconds) {
           options.server.shutdown_timeout = std::chrono::seconds(seconds);
         },
         "Seconds that requests in hand may take once the server is told to stop")
      ->transform(WholeNumber(0, kMostSeconds))
      ->default_str(std::to_string(options.server.shutdown_timeout.count()));
  AddLoggingOptions(app, options.logging);
  app.add_option("--instance", options.instance)->transform(Text("a path"))->group("");
}

}  // namespace embedding::cli
