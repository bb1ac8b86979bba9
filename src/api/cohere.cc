#include "api/cohere.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_reader.h"
#include "api/ranking.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "api/usage.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

struct RerankOptions {
  Embedder* model = nullptr;
  std::optional<size_t> top_n;
  std::vector<std::string> documents;  // if they are to be returned
};

// "max_tokens_per_doc": a document is cut at what the model takes, and nowhere before.
Status CheckMaxTokens(const JsonReader& json, const ModelInfo& info) {
  ASSIGN_OR_RETURN(const auto max_tokens, json.PositiveInteger("max_tokens_per_doc"));
  if (!max_tokens || *max_tokens >= info.max_input_tokens) return {};
  return Error{ErrorCode::kInvalidArgument,
               "max_tokens_per_doc: expected at least the " +
                   std::to_string(info.max_input_tokens) + " tokens at which " + info.name +
                   " cuts texts, got " + std::to_string(*max_tokens) + "; send shorter documents",
               "max_tokens_per_doc"};
}

// "mode" and "weights", which go beyond what Cohere has: see RerankMode.
Status ParseMode(const JsonReader& json, RerankRequest& request) {
  constexpr std::string_view kModes[] = {"dense", "sparse", "colbert", "hybrid"};
  ASSIGN_OR_RETURN(const size_t mode, json.Choice("mode", kModes));
  request.mode = static_cast<RerankMode>(mode);
  ASSIGN_OR_RETURN(const auto weights, json.Weights("weights", request.weights.size()));
  if (weights && request.mode != RerankMode::kHybrid) {
    return Error{ErrorCode::kInvalidArgument, "weights: only \"mode\": \"hybrid\" has some",
                 "weights"};
  }
  if (weights) std::copy(weights->begin(), weights->end(), request.weights.begin());
  return {};
}

Result<RerankOptions> ParseRerank(const Call& call, const JsonReader& json,
                                  RerankRequest& request) {
  RerankOptions options;
  ASSIGN_OR_RETURN(request.query, json.RequiredString("query"));
  ASSIGN_OR_RETURN(request.texts,
                   json.Documents("documents", MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(options.top_n, json.PositiveInteger("top_n"));
  ASSIGN_OR_RETURN(const bool return_documents, json.Bool("return_documents", false));
  if (return_documents) options.documents = request.texts;
  ASSIGN_OR_RETURN(request.raw_scores, json.Bool("raw_scores", false));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  RETURN_IF_ERROR(ReadTruncation(json, request));
  RETURN_IF_ERROR(ParseMode(json, request));
  RETURN_IF_ERROR(json.RefuseAllOf(kRerankUnsupported));
  constexpr UnsupportedField kOfTexts[] = {
      {"return_text", "false", "return_documents gives the documents back"}};
  RETURN_IF_ERROR(json.RefuseAllOf(kOfTexts));
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kClassify, json));
  const ModelInfo& info = options.model->info();
  if (request.mode != RerankMode::kDense && info.is_classifier()) {
    return Error{ErrorCode::kUnsupported,
                 "mode: " + info.name + " is a cross-encoder, whose scores are of one kind",
                 "mode"};
  }
  RETURN_IF_ERROR(CheckMaxTokens(json, info));
  return options;
}

Result<Response> FormatRerank(const RerankResponse& response, const std::string& id,
                              const std::string& model, const RerankOptions& options) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("id").String(id).Key("model").String(model);
  json.Key("results").BeginArray();
  std::vector<size_t> order = BestFirst(response.scores);
  order.resize(std::min(order.size(), options.top_n.value_or(order.size())));
  for (const size_t i : order) {
    json.BeginObject().Key("index").Integer(i);
    RETURN_IF_ERROR(json.Key("relevance_score").Float(response.scores[i]));
    if (!options.documents.empty()) {
      json.Key("document").BeginObject().Key("text").String(options.documents[i]).EndObject();
    }
    json.EndObject();
  }
  json.EndArray();
  WriteUsage(response.prompt_tokens, json);
  json.EndObject();
  return Response{.body = std::move(body)};
}

}  // namespace

void CohereRerank(const CallPtr& call, const JsonReader& json) {
  RerankRequest request;
  Result<RerankOptions> options = ParseRerank(*call, json, request);
  if (!options.ok()) return call->Fail(options.error());
  Embedder& embedder = *options->model;
  AnswerRerank(call, embedder, std::move(request), "documents",
               [id = call->request.request_id,
                options = *std::move(options)](const RerankResponse& response) {
                 return FormatRerank(response, id, options.model->info().name, options);
               });
}

}  // namespace embedding::api
