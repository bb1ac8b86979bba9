#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/tei.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "api/vector_format.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

constexpr char kInputs[] = "inputs";

// What the three routes have in common.
Result<EmbedRequest> ParseInputs(const JsonReader& json, size_t max_texts) {
  EmbedRequest request;
  ASSIGN_OR_RETURN(Inputs inputs, json.TextsOrIds(kInputs, max_texts));
  request.texts = std::move(inputs.texts);
  request.input_ids = std::move(inputs.input_ids);
  RETURN_IF_ERROR(ReadTruncation(json, request));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  RETURN_IF_ERROR(json.RefuseAllOf(kEmbedUnsupported));
  constexpr UnsupportedField kOfTexts[] = {
      {"encoding_format", R"("float")", "/v1/embeddings has base64"},
      {"return_dense", "true", "send texts in place of inputs"},
      {"return_sparse", "false", "send texts in place of inputs"},
      {"return_colbert_vecs", "false", "send texts in place of inputs"}};
  RETURN_IF_ERROR(json.RefuseAllOf(kOfTexts));
  return request;
}

// An array with a value for each text: `write` writes that of text i.
template <typename Write>
Result<Response> Array(size_t texts, const Write& write) {
  std::string body;
  JsonWriter json(body);
  json.BeginArray();
  for (size_t i = 0; i < texts; ++i) RETURN_IF_ERROR(write(i, json));
  json.EndArray();
  return Response{.body = std::move(body)};
}

Result<Response> DenseVectors(const EmbedResponse& response, OutputDtype dtype) {
  return Array(response.embeddings.size() / response.dimension, [&](size_t i, JsonWriter& json) {
    return WriteVector(response.embedding(i), dtype, json);
  });
}

Result<Response> TokenVectors(const EmbedResponse& response) {
  return Array(response.token_embeddings.size(), [&](size_t i, JsonWriter& json) {
    return json.Rows(response.token_embeddings[i], response.hidden_size);
  });
}

Result<Response> SparseVectors(const EmbedResponse& response) {
  return Array(response.lexical_weights.size(), [&](size_t i, JsonWriter& json) -> Status {
    json.BeginArray();
    for (const TokenWeight& token : response.lexical_weights[i]) {
      json.BeginObject().Key("index").Integer(token.id);
      RETURN_IF_ERROR(json.Key("value").Float(token.weight));
      json.EndObject();
    }
    json.EndArray();
    return {};
  });
}

// A route that takes `inputs` and wants `outputs` of them.
void EmbedInputs(const CallPtr& call, const JsonReader& json, const Outputs& outputs,
                 Result<Response> (*format)(const EmbedResponse&)) {
  Result<EmbedRequest> request = ParseInputs(json, MaxTexts(call->options, TextLimit::kCohere));
  if (!request.ok()) return call->Fail(request.error());
  const Result<Embedder*> model = call->Select(Purpose::kEmbed, json);
  if (!model.ok()) return call->Fail(model.error());
  request->outputs = outputs;
  AnswerEmbed(call, **model, *std::move(request), kInputs, format);
}

struct EmbedOptions {
  Embedder* model = nullptr;
  OutputDtype dtype = OutputDtype::kFloat;
};

Result<EmbedOptions> ParseEmbed(const Call& call, const JsonReader& json, EmbedRequest& request) {
  EmbedOptions options;
  ASSIGN_OR_RETURN(request, ParseInputs(json, MaxTexts(call.options, TextLimit::kCohere)));
  ASSIGN_OR_RETURN(request.normalize, json.Bool("normalize", true));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(options.dtype, ReadOutputDtype(json));
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kEmbed, json));
  return options;
}

// What stands in the "parameters" of /similarity, where other routes have it beside the texts.
constexpr std::string_view kKnownParameters[] = {"truncate", "truncation_direction",
                                                 "truncate_prompt_tokens", "prompt_name"};
constexpr UnsupportedField kOfParameters[] = {
    {"truncate", "true", "put it into parameters"},
    {"truncation_direction", "", "put it into parameters"},
    {"truncate_prompt_tokens", "", "put it into parameters"},
    {"prompt_name", "", "put it into parameters"},
};

struct Similarity {
  Embedder* model = nullptr;
  RerankRequest request;
};

Result<Similarity> ParseSimilarity(const Call& call, const JsonReader& json) {
  Similarity similarity;
  RerankRequest& request = similarity.request;
  JsonReader inputs = json;
  RETURN_IF_ERROR(inputs.Enter(kInputs));
  ASSIGN_OR_RETURN(request.query, inputs.RequiredString("source_sentence"));
  ASSIGN_OR_RETURN(request.texts,
                   inputs.Texts("sentences", MaxTexts(call.options, TextLimit::kCohere)));
  RETURN_IF_ERROR(json.RefuseAllOf(kOfParameters));
  if (json.Has("parameters")) {
    JsonReader parameters = json;
    RETURN_IF_ERROR(parameters.Enter("parameters"));
    RETURN_IF_ERROR(parameters.RefuseAllBut(kKnownParameters));
    RETURN_IF_ERROR(ReadTruncation(parameters, request));
    ASSIGN_OR_RETURN(request.prompt_name, parameters.String("prompt_name"));
  }
  ASSIGN_OR_RETURN(similarity.model, call.Select(Purpose::kEmbed, json));
  return similarity;
}

}  // namespace

void TeiEmbed(const CallPtr& call, const JsonReader& json) {
  EmbedRequest request;
  const Result<EmbedOptions> options = ParseEmbed(*call, json, request);
  if (!options.ok()) return call->Fail(options.error());
  AnswerEmbed(call, *options->model, std::move(request), kInputs,
              [dtype = options->dtype](const EmbedResponse& response) {
                return DenseVectors(response, dtype);
              });
}

void TeiEmbedAll(const CallPtr& call, const JsonReader& json) {
  EmbedInputs(call, json, {.dense = false, .token_embeddings = true}, TokenVectors);
}

void TeiEmbedSparse(const CallPtr& call, const JsonReader& json) {
  EmbedInputs(call, json, {.dense = false, .lexical_weights = true}, SparseVectors);
}

void TeiSimilarity(const CallPtr& call, const JsonReader& json) {
  Result<Similarity> similarity = ParseSimilarity(*call, json);
  if (!similarity.ok()) return call->Fail(similarity.error());
  AnswerRerank(call, *similarity->model, std::move(similarity->request), "inputs.sentences",
               [](const RerankResponse& response) -> Result<Response> {
                 Response answer;
                 RETURN_IF_ERROR(JsonWriter(answer.body).Floats(response.scores));
                 return answer;
               });
}

}  // namespace embedding::api
