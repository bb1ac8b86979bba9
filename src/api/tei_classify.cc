#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_writer.h"
#include "api/ranking.h"
#include "api/tei.h"

namespace embedding::api {
namespace {

struct RerankOptions {
  RerankRequest request;
  bool return_text = false;
};

Result<RerankOptions> ParseRerank(const Call& call) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  RerankOptions options;
  ASSIGN_OR_RETURN(options.request.query, json.RequiredString("query"));
  ASSIGN_OR_RETURN(options.request.texts, json.Texts("texts", call.options.max_client_batch_size));
  ASSIGN_OR_RETURN(options.request.raw_scores, json.Bool("raw_scores", false));
  ASSIGN_OR_RETURN(options.request.truncate, json.Bool("truncate", true));
  ASSIGN_OR_RETURN(options.return_text, json.Bool("return_text", false));
  return options;
}

Result<Response> FormatRerank(const RerankResponse& response, const RerankOptions& options) {
  std::string body = "[";
  for (const size_t i : BestFirst(response.scores)) {
    if (body.size() > 1) body += ',';
    body += R"({"index":)";
    AppendJsonInteger(i, body);
    if (options.return_text) {
      body += R"(,"text":)";
      AppendJsonString(options.request.texts[i], body);
    }
    body += R"(,"score":)";
    RETURN_IF_ERROR(AppendJsonFloat(response.scores[i], body));
    body += '}';
  }
  body += ']';
  return Response{.body = std::move(body)};
}

struct PredictOptions {
  Sequences sequences;
  bool raw_scores = false;
  bool truncate = true;
};

Result<PredictOptions> ParsePredict(const Call& call) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  PredictOptions options;
  ASSIGN_OR_RETURN(options.sequences,
                   json.TextsOrPairs("inputs", call.options.max_client_batch_size));
  ASSIGN_OR_RETURN(options.raw_scores, json.Bool("raw_scores", false));
  ASSIGN_OR_RETURN(options.truncate, json.Bool("truncate", true));
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
Status AppendPrediction(std::span<const float> logits, const std::vector<std::string>& labels,
                        bool raw_scores, std::string& body) {
  const std::vector<float> scores =
      raw_scores ? std::vector<float>(logits.begin(), logits.end()) : Probabilities(logits);
  body += '[';
  for (const size_t i : BestFirst(scores)) {
    if (body.back() != '[') body += ',';
    body += R"({"score":)";
    RETURN_IF_ERROR(AppendJsonFloat(scores[i], body));
    body += R"(,"label":)";
    AppendJsonString(labels[i], body);
    body += '}';
  }
  body += ']';
  return {};
}

Result<Response> FormatPredict(const EmbedResponse& response,
                               const std::vector<std::string>& labels,
                               const PredictOptions& options) {
  std::string body;
  const std::span<const float> logits = response.logits;
  if (!options.sequences.single) body += '[';
  for (size_t i = 0; i < logits.size(); i += labels.size()) {
    if (i > 0) body += ',';
    RETURN_IF_ERROR(
        AppendPrediction(logits.subspan(i, labels.size()), labels, options.raw_scores, body));
  }
  if (!options.sequences.single) body += ']';
  return Response{.body = std::move(body)};
}

}  // namespace

void TeiRerank(const CallPtr& call) {
  Result<RerankOptions> options = ParseRerank(*call);
  if (!options.ok()) return call->Fail(options.error());
  const RerankRequest request = options->request;
  AnswerRerank(call, call->Select(Purpose::kClassify), request, "texts",
               [options = *std::move(options)](const RerankResponse& response) {
                 return FormatRerank(response, options);
               });
}

void TeiPredict(const CallPtr& call) {
  Result<PredictOptions> options = ParsePredict(*call);
  if (!options.ok()) return call->Fail(options.error());
  Embedder& embedder = call->Select(Purpose::kClassify);
  EmbedRequest request;
  request.texts = options->sequences.texts;
  request.text_pairs = options->sequences.text_pairs;
  request.truncate = options->truncate;
  request.outputs = {.dense = false, .logits = true};
  AnswerEmbed(call, embedder, std::move(request), "inputs",
              [&embedder, options = *std::move(options)](const EmbedResponse& response) {
                return FormatPredict(response, embedder.info().labels, options);
              });
}

}  // namespace embedding::api
