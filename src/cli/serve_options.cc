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
constexpr uint64_t kMostCacheMs = 60'000;

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
  add("--unix-socket", options.server.unix_socket,
      "A UNIX socket to listen on instead of --host and --port: a file that processes of the "
      "server's user and group may connect to",
      OptionalText("a file's name"));
  add("--tls-certificate", options.server.tls.certificate,
      "Serves https: a file in PEM with the certificate, and behind it those that lead to its "
      "issuer; SIGHUP reads it again",
      OptionalText("a file's name"));
  add("--tls-key", options.server.tls.key, "The private key of the certificate, in PEM",
      OptionalText("a file's name"));
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
  app.add_option_function<int>(
         "--device-timeout",
         [&options](int s) { options.engine.device_timeout = std::chrono::seconds(s); },
         "Seconds that a device may take for one batch, those that it waits for other models' "
         "included, before it is taken for one that hangs: then /health says so, and 503 where no "
         "other works; 0 never")
      ->transform(WholeNumber(0, kMostSeconds))
      ->default_str(std::to_string(
          std::chrono::duration_cast<std::chrono::seconds>(options.engine.device_timeout).count()));
  add_derived("--max-queue", options.max_queue,
              "Texts that may wait; a request beyond that is answered 429, one that has more by "
              "itself 422",
              "4096, or twice --max-client-batch-size", WholeNumber(1, kMostTexts));
  add_derived("--max-client-batch-size", options.service.max_client_batch_size,
              "Most texts in one request, of all routes",
              "100 for /embed with texts, 2048 for OpenAI's and Ollama's routes, 1000 for the rest",
              WholeNumber(1, kMostTexts));
  add("--cache", options.cache,
      "Where results are kept for the next request for the same text: a size in memory, as 64MB or "
      "1GB, or 0 for none; or a Redis, as redis://:password@host:6379/0, behind memory. One of "
      "each "
      "may be given. Other processes see the command line: a password is better in the environment "
      "or the file",
      Cache());
  app.add_option_function<int>(
         "--cache-timeout",
         [&options](int ms) { options.cache_timeout = std::chrono::milliseconds(ms); },
         "Milliseconds that a request waits for Redis; then its texts are computed, and nobody "
         "asks "
         "Redis until it answers again")
      ->transform(WholeNumber(1, kMostCacheMs))
      ->default_str(std::to_string(options.cache_timeout.count()));
  app.add_option_function<int>(
         "--cache-ttl", [&options](int s) { options.cache_ttl = std::chrono::seconds(s); },
         "Seconds after which Redis forgets a result; 0 leaves that to its maxmemory-policy")
      ->transform(WholeNumber(0, kMostSeconds))
      ->default_str(std::to_string(options.cache_ttl.count()));
  // Its value is not shown by --help.
  app.add_option(
         "--api-key", options.api_keys,
         "A key that requests must send, as X-API-Key or Authorization: Bearer; may be given "
         "more than once. Without any, everybody may ask. Other processes see the command "
         "line: better in the environment or the file")
      ->transform(ApiKey());
  add("--api-keys-file", options.api_keys_file,
      "A file with a key a line: a name, the key or sha256: and its SHA-256 in hexadecimal, and if "
      "it has limits of its own requests=N or tokens=N",
      Text("a file's name"));
  add("--open-routes", options.service.open_routes,
      "A route that needs no key, as /metrics; or health, metrics or docs, which is what is open "
      "by default; or none; may be given more than once",
      Name("none, health, metrics, docs or the path of a route", app::OpenRouteNames()));
  app.get_option("--open-routes")->default_str("[health,metrics,docs]");
  add("--rate-limit-requests", options.rates.requests,
      "Requests to routes of the model that each key, or each address without a key, may send a "
      "second; 0 is no limit. Beyond it 429",
      WholeNumber(0, http::kMostPerSecond));
  add("--rate-limit-tokens", options.rates.tokens,
      "Tokens that each may have computed a second, paid for when a request is answered; 0 is no "
      "limit",
      WholeNumber(0, http::kMostPerSecond));
  add("--rate-limit-burst", options.rate_limit_burst_seconds,
      "Seconds' worth of both that each may have at once after a while of asking nothing",
      WholeNumber(1, http::kMostBurstSeconds));
  add("--trusted-proxy", options.trusted_proxies,
      "A proxy whose X-Forwarded-For or Forwarded is believed: an address, a range as 10.0.0.0/8, "
      "or unix for who comes over a UNIX socket; may be given more than once",
      Word("an address, a range or unix"));
  add("--cors-origin", options.service.cors_origins,
      "An origin whose pages browsers let read the answers, as https://example.com or "
      "http://localhost:3000, or * for every one; may be given more than once",
      Word("* or an origin"));
  app.add_option("--access-log", options.service.access_log,
                 "Logs a line for each request: who, what, status, texts, tokens, times; never a "
                 "text or a key")
      ->transform(Switch())
      ->default_str("false");
  app.add_option(
         "--strict-model", options.service.strict_model,
         "Refuses a request for a model that is not served; else the first that fits answers")
      ->transform(Switch())
      ->default_str("false");
  app.add_option("--no-console", options.service.no_console,
                 "Answers a browser at / as everybody else, with the server's health; else it gets "
                 "the console, a page that shows what the server does and lets one try it")
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
