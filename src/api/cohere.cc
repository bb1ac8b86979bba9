#include "api/cohere.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/ranking.h"

namespace embedding::api {
namespace {

struct RerankOptions {
  std::optional<std::string> model;
  std::optional<size_t> top_n;
  std::vector<std::string> documents;  // if they are to be returned
};

// "mode" and "weights", which go beyond what Cohere has: see RerankMode.
Status ParseMode(const JsonReader& json, RerankRequest& request) {
  constexpr std::string_view kModes[] = {"dense", "sparse", "colbert", "hybrid"};
  ASSIGN_OR_RETURN(const size_t mode, json.Choice("mode", kModes));
  request.mode = static_cast<RerankMode>(mode);
  ASSIGN_OR_RETURN(const auto weights, json.Weights("weights", request.weights.size()));
  if (weights) std::copy(weights->begin(), weights->end(), request.weights.begin());
  return {};
}

Result<RerankOptions> ParseRerank(const Call& call, RerankRequest& request) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  RerankOptions options;
  ASSIGN_OR_RETURN(options.model, json.String("model"));
  ASSIGN_OR_RETURN(request.query, json.RequiredString("query"));
  ASSIGN_OR_RETURN(request.texts,
                   json.Documents("documents", MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(options.top_n, json.PositiveInteger("top_n"));
  ASSIGN_OR_RETURN(const bool return_documents, json.Bool("return_documents", false));
  if (return_documents) options.documents = request.texts;
  RETURN_IF_ERROR(ParseMode(json, request));
  return options;
}

Result<Response> FormatRerank(const RerankResponse& response, const std::string& id,
                              const std::string& model, const RerankOptions& options) {
  std::string body = R"({"id":)";
  AppendJsonString(id, body);
  body += R"(,"model":)";
  AppendJsonString(model, body);
  body += R"(,"results":[)";
  std::vector<size_t> order = BestFirst(response.scores);
  order.resize(std::min(order.size(), options.top_n.value_or(order.size())));
  for (const size_t i : order) {
    if (body.back() != '[') body += ',';
    body += R"({"index":)";
    AppendJsonInteger(i, body);
    body += R"(,"relevance_score":)";
    RETURN_IF_ERROR(AppendJsonFloat(response.scores[i], body));
    if (!options.documents.empty()) {
      body += R"(,"document":{"text":)";
      AppendJsonString(options.documents[i], body);
      body += '}';
    }
    body += '}';
  }
  body += "],";
  AppendUsage(response.prompt_tokens, body);
  body += '}';
  return Response{.body = std::move(body)};
}

}  // namespace

void CohereRerank(const CallPtr& call) {
  RerankRequest request;
  Result<RerankOptions> options = ParseRerank(*call, request);
  if (!options.ok()) return call->Fail(options.error());
  Embedder& embedder = call->Select(Purpose::kClassify, options->model);
  AnswerRerank(call, embedder, std::move(request), "documents",
               [&embedder, id = call->request.request_id,
                options = *std::move(options)](const RerankResponse& response) {
                 return FormatRerank(response, id, embedder.info().name, options);
               });
}

}  // namespace embedding::api
