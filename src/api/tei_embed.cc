#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/json_writer.h"
#include "api/tei.h"
#include "api/vector_format.h"

namespace embedding::api {
namespace {

constexpr char kInputs[] = "inputs";

// What the three routes have in common.
Result<EmbedRequest> ParseInputs(const JsonReader& json, size_t max_texts) {
  EmbedRequest request;
  ASSIGN_OR_RETURN(Inputs inputs, json.TextsOrIds(kInputs, max_texts));
  request.texts = std::move(inputs.texts);
  request.input_ids = std::move(inputs.input_ids);
  ASSIGN_OR_RETURN(request.truncate, json.Bool("truncate", true));
  constexpr std::string_view kDirections[] = {"Right", "Left", "right", "left"};
  ASSIGN_OR_RETURN(const size_t direction, json.Choice("truncation_direction", kDirections));
  if (direction % 2 == 1) request.truncation_side = TruncationSide::kLeft;
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  return request;
}

// One JSON value a text: `append` writes that of text i.
template <typename Append>
Result<Response> Array(size_t texts, const Append& append) {
  std::string body = "[";
  for (size_t i = 0; i < texts; ++i) {
    if (i > 0) body += ',';
    RETURN_IF_ERROR(append(i, body));
  }
  body += ']';
  return Response{.body = std::move(body)};
}

Result<Response> DenseVectors(const EmbedResponse& response) {
  return Array(response.embeddings.size() / response.dimension, [&](size_t i, std::string& body) {
    return AppendVector(response.embedding(i), OutputDtype::kFloat, body);
  });
}

Result<Response> TokenVectors(const EmbedResponse& response) {
  return Array(response.token_embeddings.size(), [&](size_t i, std::string& body) {
    return AppendRows(response.token_embeddings[i], response.hidden_size, body);
  });
}

Result<Response> SparseVectors(const EmbedResponse& response) {
  return Array(response.lexical_weights.size(), [&](size_t i, std::string& body) -> Status {
    body += '[';
    for (const TokenWeight& token : response.lexical_weights[i]) {
      if (body.back() != '[') body += ',';
      body += R"({"index":)";
      AppendJsonInteger(static_cast<uint64_t>(token.id), body);
      body += R"(,"value":)";
      RETURN_IF_ERROR(AppendJsonFloat(token.weight, body));
      body += '}';
    }
    body += ']';
    return {};
  });
}

// A route that takes `inputs` and wants `outputs` of them.
void EmbedInputs(const CallPtr& call, const Outputs& outputs,
                 Result<Response> (*format)(const EmbedResponse&)) {
  JsonReader json;
  if (Status parsed = json.Parse(call->request.body); !parsed.ok()) {
    return call->Fail(parsed.error());
  }
  Result<EmbedRequest> request = ParseInputs(json, MaxTexts(call->options, TextLimit::kCohere));
  if (!request.ok()) return call->Fail(request.error());
  request->outputs = outputs;
  AnswerEmbed(call, call->Select(Purpose::kEmbed), *std::move(request), kInputs, format);
}

Result<RerankRequest> ParseSimilarity(const Call& call) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  RETURN_IF_ERROR(json.Enter(kInputs));
  RerankRequest request;
  ASSIGN_OR_RETURN(request.query, json.RequiredString("source_sentence"));
  ASSIGN_OR_RETURN(request.texts,
                   json.Texts("sentences", MaxTexts(call.options, TextLimit::kCohere)));
  return request;
}

}  // namespace

void TeiEmbed(const CallPtr& call, const JsonReader& json) {
  Result<EmbedRequest> request = ParseInputs(json, MaxTexts(call->options, TextLimit::kCohere));
  if (!request.ok()) return call->Fail(request.error());
  const auto normalize = json.Bool("normalize", true);
  if (!normalize.ok()) return call->Fail(normalize.error());
  const auto dimensions = json.PositiveInteger("dimensions");
  if (!dimensions.ok()) return call->Fail(dimensions.error());
  request->normalize = *normalize;
  request->dimensions = *dimensions;
  AnswerEmbed(call, call->Select(Purpose::kEmbed), *std::move(request), kInputs, DenseVectors);
}

void TeiEmbedAll(const CallPtr& call) {
  EmbedInputs(call, {.dense = false, .token_embeddings = true}, TokenVectors);
}

void TeiEmbedSparse(const CallPtr& call) {
  EmbedInputs(call, {.dense = false, .lexical_weights = true}, SparseVectors);
}

void TeiSimilarity(const CallPtr& call) {
  Result<RerankRequest> request = ParseSimilarity(*call);
  if (!request.ok()) return call->Fail(request.error());
  AnswerRerank(call, call->Select(Purpose::kEmbed), *std::move(request), "inputs.sentences",
               [](const RerankResponse& response) -> Result<Response> {
                 Response answer;
                 if (!AppendJsonFloats(response.scores, answer.body)) {
                   return Error{ErrorCode::kInternal, "a score is not finite", ""};
                 }
                 return answer;
               });
}

}  // namespace embedding::api
