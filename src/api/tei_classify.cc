#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/ranking.h"
#include "api/tei.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

struct RerankOptions {
  Embedder* model = nullptr;
  std::vector<std::string> returned;  // the texts, if they are to be returned
};

Result<RerankOptions> ParseRerank(const Call& call, const JsonReader& json,
                                  RerankRequest& request) {
  RerankOptions options;
  ASSIGN_OR_RETURN(request.query, json.RequiredString("query"));
  ASSIGN_OR_RETURN(request.texts, json.Texts("texts", MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(request.raw_scores, json.Bool("raw_scores", false));
  RETURN_IF_ERROR(ReadTruncation(json, request));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  ASSIGN_OR_RETURN(const bool return_text, json.Bool("return_text", false));
  RETURN_IF_ERROR(json.RefuseAllOf(kRerankUnsupported));
  constexpr UnsupportedField kOfDocuments[] = {
      {"mode", R"("dense")", "send documents in place of texts"},
      {"weights", "", "send documents in place of texts"},
      {"top_n", "", "send documents in place of texts"},
      {"return_documents", "false", "return_text gives the texts back"},
      {"max_tokens_per_doc", "", "texts are cut at what the model takes; send shorter ones"}};
  RETURN_IF_ERROR(json.RefuseAllOf(kOfDocuments));
  if (return_text) options.returned = request.texts;
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kClassify, json));
  return options;
}

Result<Response> FormatRerank(const RerankResponse& response,
                              const std::vector<std::string>& returned) {
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (const size_t i : BestFirst(response.scores)) {
    json.BeginObject().Key("index").Integer(i);
    if (!returned.empty()) json.Key("text").String(returned[i]);
    RETURN_IF_ERROR(json.Key("score").Float(response.scores[i]));
    json.EndObject();
  }
  json.EndArray();
  return Response{.body = std::move(body)};
}

struct PredictOptions {
  Embedder* model = nullptr;
  bool single = false;
  bool raw_scores = false;
};

Result<PredictOptions> ParsePredict(const Call& call, const JsonReader& json,
                                    EmbedRequest& request) {
  PredictOptions options;
  ASSIGN_OR_RETURN(Sequences sequences,
                   json.TextsOrPairs("inputs", MaxTexts(call.options, TextLimit::kCohere)));
  request.texts = std::move(sequences.texts);
  request.text_pairs = std::move(sequences.text_pairs);
  options.single = sequences.single;
  ASSIGN_OR_RETURN(options.raw_scores, json.Bool("raw_scores", false));
  constexpr UnsupportedField kUnsupported[] = {
      kParameters,
      {"top_k", "", "every label comes, the best first"},
      {"function_to_apply", "", "raw_scores gives scores without one"}};
  RETURN_IF_ERROR(json.RefuseAllOf(kUnsupported));
  RETURN_IF_ERROR(ReadTruncation(json, request));
  request.outputs = {.dense = false, .logits = true};
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kClassify, json));
  return options;
}

// Of one label the sigmoid, of several the softmax.
std::vector<float> Probabilities(std::span<const float> logits) {
  if (logits.size() == 1) return {1 / (1 + std::exp(-logits[0]))};
  std::vector<float> result;
  const float largest = *std::max_element(logits.begin(), logits.end());
  float total = 0;
  for (const float logit : logits) {
    result.push_back(std::exp(logit - largest));
    total += result.back();
  }
  for (float& x : result) x /= total;
  return result;
}

// [{"score","label"},...] of one text, best first.
Status WritePrediction(std::span<const float> logits, const std::vector<std::string>& labels,
                       bool raw_scores, JsonWriter& json) {
  const std::vector<float> scores =
      raw_scores ? std::vector<float>(logits.begin(), logits.end()) : Probabilities(logits);
  json.BeginArray();
  for (const size_t i : BestFirst(scores)) {
    json.BeginObject();
    RETURN_IF_ERROR(json.Key("score").Float(scores[i]));
    json.Key("label").String(labels[i]).EndObject();
  }
  json.EndArray();
  return {};
}

Result<Response> FormatPredict(const EmbedResponse& response,
                               const std::vector<std::string>& labels, bool single,
                               bool raw_scores) {
  std::string body;
  JsonWriter json(body);
  const std::span<const float> logits = response.logits;
  if (!single) json.BeginArray();
  for (size_t i = 0; i < logits.size(); i += labels.size()) {
    RETURN_IF_ERROR(WritePrediction(logits.subspan(i, labels.size()), labels, raw_scores, json));
  }
  if (!single) json.EndArray();
  return Response{.body = std::move(body)};
}

}  // namespace

void TeiRerank(const CallPtr& call, const JsonReader& json) {
  RerankRequest request;
  Result<RerankOptions> options = ParseRerank(*call, json, request);
  if (!options.ok()) return call->Fail(options.error());
  AnswerRerank(call, *options->model, std::move(request), "texts",
               [returned = std::move(options->returned)](const RerankResponse& response) {
                 return FormatRerank(response, returned);
               });
}

void TeiPredict(const CallPtr& call, const JsonReader& json) {
  EmbedRequest request;
  const Result<PredictOptions> options = ParsePredict(*call, json, request);
  if (!options.ok()) return call->Fail(options.error());
  AnswerEmbed(call, *options->model, std::move(request), "inputs",
              [options = *options](const EmbedResponse& response) {
                return FormatPredict(response, options.model->info().labels, options.single,
                                     options.raw_scores);
              });
}

}  // namespace embedding::api
