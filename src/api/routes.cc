#include "api/routes.h"

#include <algorithm>

#include "api/cohere.h"
#include "api/console.h"
#include "api/json_reader.h"
#include "api/native.h"
#include "api/ollama.h"
#include "api/openai.h"
#include "api/shared_routes.h"
#include "api/static_files.h"
#include "api/tei.h"

namespace embedding::api {
namespace {

using http::Access;
using http::Executor;
using http::Metering;
using http::Policy;
using http::Readiness;

// A route with a body, which is read here: every dialect says the same of one that is no JSON.
template <void (*handle)(const CallPtr&, const JsonReader&)>
void Reading(const CallPtr& call) {
  ByteCharge charge;
  if (const auto refusal = call->ChargeReading(charge)) return call->Fail(*refusal);
  JsonReader json;
  if (Status parsed = json.Parse(call->request.body); !parsed.ok()) {
    return call->Fail(parsed.error());
  }
  handle(call, json);
}

// What the model answers, and what says which models there are.
constexpr Policy kOfModel = {Access::kWithKey, Executor::kWorker, Readiness::kOnceStarted,
                             Metering::kLimited};
// Probes and pages: answered to everybody and at once, however busy the workers are.
constexpr Policy kAlwaysThere = {Access::kPublic, Executor::kIoThread, Readiness::kAlways,
                                 Metering::kFree};

constexpr RouteRow kRoutes[] = {
    {"POST", "/", kOfModel, Reading<Root>},
    {"GET", "/", kAlwaysThere, Home},
    {"POST", "/invocations", kOfModel, Reading<Root>},
    {"POST", "/vertex", kOfModel, Reading<Vertex>},
    {"POST", "/embed", kOfModel, Reading<Embed>},
    {"GET", "/health", kAlwaysThere, NativeHealth},
    {"GET", "/readyz", kAlwaysThere, NativeHealth},
    {"GET", "/ping", kAlwaysThere, NativeHealth},
    {"GET", "/livez", kAlwaysThere, NativeLive},
    {"GET", "/metrics", kAlwaysThere, TeiMetrics},
    {"GET", "/openapi.json", kAlwaysThere, OpenApi},
    {"GET", "/docs", kAlwaysThere, Docs},
    {"POST", "/embed_all", kOfModel, Reading<TeiEmbedAll>},
    {"POST", "/embed_sparse", kOfModel, Reading<TeiEmbedSparse>},
    {"POST", "/similarity", kOfModel, Reading<TeiSimilarity>},
    {"POST", "/rerank", kOfModel, Reading<Rerank>},
    {"POST", "/predict", kOfModel, Reading<TeiPredict>},
    {"POST", "/tokenize", kOfModel, Reading<TeiTokenize>},
    {"POST", "/decode", kOfModel, Reading<TeiDecode>},
    {"GET", "/info", kOfModel, TeiInfo},
    {"POST", "/v1/embeddings", kOfModel, Reading<OpenAiEmbeddings>},
    {"POST", "/embeddings", kOfModel, Reading<OpenAiEmbeddings>},
    {"GET", "/v1/models", kOfModel, OpenAiModels},
    {"GET", "/v1/models/", kOfModel, OpenAiModel},
    {"GET", "/models", kOfModel, OpenAiModels},
    {"POST", "/v1/rerank", kOfModel, Reading<CohereRerank>},
    {"POST", "/v2/rerank", kOfModel, Reading<CohereRerank>},
    {"POST", "/v1/reranking", kOfModel, Reading<CohereRerank>},
    {"POST", "/reranking", kOfModel, Reading<CohereRerank>},
    {"POST", "/api/embed", kOfModel, Reading<OllamaEmbed>},
    {"POST", "/api/embeddings", kOfModel, Reading<OllamaEmbeddings>},
    {"POST", "/api/show", kOfModel, Reading<OllamaShow>},
    {"POST", "/api/pull", kOfModel, Reading<OllamaPull>},
    {"GET", "/api/tags", kOfModel, OllamaTags},
    {"GET", "/api/ps", kOfModel, OllamaRunning},
    {"GET", "/api/version", kAlwaysThere, OllamaVersion},
};

// Of the routes that are open by default.
constexpr std::string_view kHealth = "health";
constexpr std::string_view kMetrics = "metrics";
constexpr std::string_view kDocs = "docs";
constexpr std::string_view kNone = "none";

std::string_view GroupOf(const RouteRow& row) {
  if (row.policy.access != Access::kPublic) return {};
  if (row.path == "/metrics") return kMetrics;
  return row.path == "/docs" || row.path == "/openapi.json" ? kDocs : kHealth;
}

}  // namespace

std::span<const RouteRow> Routes() { return kRoutes; }

std::vector<std::string> OpenRouteNames() {
  std::vector<std::string> names;
  for (const std::string_view name : {kNone, kHealth, kMetrics, kDocs}) names.emplace_back(name);
  for (const RouteRow& row : kRoutes) {
    if (std::find(names.begin(), names.end(), row.path) == names.end())
      names.emplace_back(row.path);
  }
  return names;
}

bool IsOpen(const RouteRow& row, const std::vector<std::string>& open_routes) {
  if (open_routes.empty()) return row.policy.access == Access::kPublic;
  return std::any_of(open_routes.begin(), open_routes.end(), [&](const std::string& name) {
    return name == row.path || name == GroupOf(row);
  });
}

}  // namespace embedding::api
