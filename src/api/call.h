// Call: one request on its way through the threads that work on it.
//
// Thread-safety: touched by one thread at a time; a call is handed on, never shared.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/access_log.h"
#include "api/json_reader.h"
#include "api/loading.h"
#include "api/metrics.h"
#include "base/result.h"
#include "embedding/byte_budget.h"
#include "embedding/engine.h"
#include "embedding/result_store.h"
#include "engine/rerank.h"
#include "http/api_keys.h"
#include "http/client_address.h"
#include "http/handler.h"
#include "http/message.h"
#include "http/on_worker.h"
#include "http/rate_limiter.h"
#include "http/refusal.h"

namespace embedding::api {

using http::Header;
using http::Post;
using http::Request;
using http::Responder;
using http::Response;

struct ServiceOptions {
  // What the first model is called while it loads; later each model's own info says it.
  std::string model_name;
  // Most texts of one request, whatever its dialect; each has its own limit if empty (MaxTexts).
  std::optional<size_t> max_client_batch_size = {};
  size_t max_queue = 4096;  // texts that may wait, so no request may have more
  // What answers may take together, as numbers and as text, from before they are computed until
  // they are sent; beyond it 429.
  size_t answer_limit_bytes = 512'000'000;
  // What bodies may take together while they are read, beside themselves; beyond it 503.
  size_t reading_limit_bytes = 256'000'000;
  // If there are any, all routes want one of them but those that are open: those of `open_routes`
  // (OpenRouteNames), or if that is empty those that their policy says are.
  std::vector<http::ApiKey> api_keys = {};
  std::vector<std::string> open_routes = {};
  // How much each client may ask of routes of the model.
  http::RateLimits rate_limits = {};
  // Whose word about their clients' addresses is taken.
  http::TrustedProxies trusted_proxies = {};
  // Whether a line is logged for each request, and in which form.
  bool access_log = false;
  LogFormat log_format = LogFormat::kText;
  // Whose pages browsers let read the answers: cors.h.
  std::vector<std::string> cors_origins = {};
  // Whether a "model" that is not served is an error.
  bool strict_model = false;
  // Whether a browser gets no page at /, but what everybody else does.
  bool no_console = false;
  // The models' cache, for /metrics and /info; outlives the service. nullptr if there is none.
  const ResultStore* cache = nullptr;
};

// What a dialect's clients send in one request where nobody says otherwise.
enum class TextLimit : size_t {
  kNative = 100,   // the Python service's contract
  kCohere = 1000,  // Cohere's for documents; text-embeddings-inference has what it is told
  kOpenAi = 2048,  // OpenAI's; its clients fill it. Ollama's have none
};

// Most texts of one request in a dialect.
size_t MaxTexts(const ServiceOptions& options, TextLimit dialect);

// The models that are served, in the order of the command line. Never empty.
using Models = std::vector<Embedder*>;

// What a request wants a model for.
enum class Purpose { kEmbed, kClassify };

struct Call {
  const ServiceOptions& options;
  const Post& post;
  const Models* models;  // nullptr while they load
  const Loading& loading;
  Metrics& metrics;
  ByteBudget& answers;  // for what answers take until they are sent
  ByteBudget& reading;  // for what bodies take while they are read
  std::chrono::steady_clock::time_point received;
  Request request;
  Responder responder;  // empty once the call has been answered
  // Of a call that is part of another what errors about its request begin with: "instances[2]".
  std::string part_name = {};

  // The model of that name, be it with ":latest" behind it as Ollama's clients write; or nullptr.
  Embedder* Named(std::string_view name) const;

  // The model that a request's "model" names. Where there is none of that name (clients of other
  // servers send names that they have from there), the first that fits the purpose; where none
  // does, the first. Errors: kNotFound for an unknown name where names are strict.
  Result<Embedder*> Select(Purpose purpose, const JsonReader& json) const;

  // Takes what the body will hold once it is read from the budget of reading. Refused if that has
  // too little left, and with kPayloadTooLarge if it is more than the whole budget.
  std::optional<http::Refusal> ChargeReading(ByteCharge& charge) const;

  // Takes the memory of `body`, as it grows, from the budget of answers. Errors: kOverloaded, or
  // kInvalidArgument if it is more than the whole budget.
  Status Charge(const std::string& body, ByteCharge& charge) const;

  void Answer(Response response);
  void Fail(const Error& error);
  void Fail(const http::Refusal& refusal);
};

using CallPtr = std::shared_ptr<Call>;

// Takes a step of the call. An exception that a library throws there (out of memory, say) is
// answered like any other internal error.
void Take(const CallPtr& call, const std::function<void()>& step);

// The same on another thread.
void Continue(const CallPtr& call, std::function<void()> step);

// Computes and answers with what `format` makes of the result, on another thread than the computing
// one, which has better to do than write JSON. `texts_field` is what the dialect calls the texts.
void AnswerEmbed(const CallPtr& call, Embedder& embedder, EmbedRequest request,
                 std::string texts_field,
                 std::function<Result<Response>(const EmbedResponse&)> format);
void AnswerRerank(const CallPtr& call, Embedder& embedder, RerankRequest request,
                  std::string texts_field,
                  std::function<Result<Response>(const RerankResponse&)> format);

}  // namespace embedding::api
