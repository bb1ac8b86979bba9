#include "api/native.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/accept.h"
#include "api/errors.h"
#include "api/json_writer.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "api/vector_format.h"

namespace embedding::api {
namespace {

Result<EmbedRequest> ParseEmbed(const JsonReader& json, size_t max_texts) {
  EmbedRequest request;
  ASSIGN_OR_RETURN(request.texts, json.Texts("texts", max_texts));
  ASSIGN_OR_RETURN(request.normalize, json.Bool("normalize", true));
  RETURN_IF_ERROR(ReadTruncation(json, request));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  ASSIGN_OR_RETURN(request.outputs.dense, json.Bool("return_dense", true));
  ASSIGN_OR_RETURN(request.outputs.lexical_weights, json.Bool("return_sparse", false));
  ASSIGN_OR_RETURN(request.outputs.colbert_vecs, json.Bool("return_colbert_vecs", false));
  RETURN_IF_ERROR(json.RefuseAllOf(kEmbedUnsupported));
  constexpr UnsupportedField kUnsupported[] = {
      {"encoding_format", R"("float")", "/v1/embeddings has base64"}};
  RETURN_IF_ERROR(json.RefuseAllOf(kUnsupported));
  const Outputs& outputs = request.outputs;
  if (!outputs.dense && !outputs.lexical_weights && !outputs.colbert_vecs) {
    return Error{ErrorCode::kInvalidArgument,
                 "return_dense: false leaves nothing to return, expected true", "return_dense"};
  }
  return request;
}

// {"83":1.03,...}, keys in the order of first appearance.
Status AppendWeights(const std::vector<TokenWeight>& weights, std::string& body) {
  body += '{';
  for (const TokenWeight& token : weights) {
    if (body.back() != '{') body += ',';
    body += '"';
    AppendJsonInteger(static_cast<uint64_t>(token.id), body);
    body += "\":";
    RETURN_IF_ERROR(AppendJsonFloat(token.weight, body));
  }
  body += '}';
  return {};
}

Result<Response> FormatEmbed(const EmbedResponse& response, const Embedder& embedder,
                             const Outputs& outputs, OutputDtype dtype, size_t texts) {
  std::string body;
  body.reserve(response.embeddings.size() * kMaxJsonFloatChars + 1024);
  body += '{';
  if (outputs.dense) {
    body += R"("embeddings":[)";
    for (size_t i = 0; i < texts; ++i) {
      if (i > 0) body += ',';
      RETURN_IF_ERROR(AppendVector(response.embedding(i), dtype, body));
    }
    body += "],";
  }
  body += R"("model":)";
  AppendJsonString(embedder.info().name, body);
  body += R"(,"dimension":)";
  AppendJsonInteger(response.dimension, body);
  if (outputs.lexical_weights) {
    body += R"(,"lexical_weights":[)";
    for (size_t i = 0; i < texts; ++i) {
      if (i > 0) body += ',';
      RETURN_IF_ERROR(AppendWeights(response.lexical_weights[i], body));
    }
    body += ']';
  }
  if (outputs.colbert_vecs) {
    body += R"(,"colbert_vecs":[)";
    for (size_t i = 0; i < texts; ++i) {
      if (i > 0) body += ',';
      RETURN_IF_ERROR(AppendRows(response.colbert_vecs[i], response.colbert_dimension, body));
    }
    body += ']';
  }
  body += ',';
  AppendUsage(response.prompt_tokens, body);
  body += '}';
  return Response{.body = std::move(body)};
}

// Row-major little-endian f32, the shape in a header.
Response RawVectors(const EmbedResponse& response) {
  Response answer;
  answer.content_type = kOctetStream;
  answer.headers.push_back(
      {"x-shape", std::to_string(response.embeddings.size() / response.dimension) + ',' +
                      std::to_string(response.dimension)});
  answer.body.assign(reinterpret_cast<const char*>(response.embeddings.data()),
                     response.embeddings.size() * sizeof(float));
  return answer;
}

}  // namespace

void NativeEmbed(const CallPtr& call, const JsonReader& json) {
  Result<EmbedRequest> request = ParseEmbed(json, MaxTexts(call->options, TextLimit::kNative));
  if (!request.ok()) return call->Fail(request.error());
  const auto dtype = ReadOutputDtype(json);
  if (!dtype.ok()) return call->Fail(dtype.error());
  const Result<Embedder*> model = call->Select(Purpose::kEmbed, json);
  if (!model.ok()) return call->Fail(model.error());
  Embedder& embedder = **model;
  const Outputs outputs = request->outputs;
  const size_t texts = request->size();
  const bool raw = PrefersBytes(call->request.accept);
  if (raw && (!outputs.dense || outputs.lexical_weights || outputs.colbert_vecs ||
              *dtype != OutputDtype::kFloat)) {
    return call->Fail({ErrorCode::kInvalidArgument,
                       "Accept: application/octet-stream gives dense vectors of floats alone; ask "
                       "for JSON, or for nothing else",
                       ""});
  }
  AnswerEmbed(call, embedder, *std::move(request), "texts",
              [raw, &embedder, outputs, dtype = *dtype,
               texts](const EmbedResponse& response) -> Result<Response> {
                if (raw) return RawVectors(response);
                return FormatEmbed(response, embedder, outputs, dtype, texts);
              });
}

void NativeHealth(const CallPtr& call) {
  std::string name = call->options.model_name;
  Status health;  // of the first model that has failed
  if (call->models != nullptr) {
    name = call->models->front()->info().name;
    for (const Embedder* model : *call->models) {
      if (health.ok()) health = model->health();
    }
  }
  if (call->models == nullptr || !health.ok()) {
    Response response = ErrorResponse({ErrorCode::kUnavailable, "", ""}, call->request.target,
                                      call->request.request_id);
    response.body = health.ok() ? R"({"status":"loading")" : R"({"status":"unhealthy","error":)";
    if (!health.ok()) AppendJsonString(health.error().message, response.body);
    response.body += R"(,"model":)";
    AppendJsonString(name, response.body);
    response.body += '}';
    return call->Answer(std::move(response));
  }
  const ModelInfo& info = call->models->front()->info();
  std::string body = R"({"status":"healthy","model":)";
  AppendJsonString(name, body);
  body += R"(,"device":)";
  AppendJsonString(info.device, body);
  body += R"(,"dimension":)";
  AppendJsonInteger(info.dimension, body);
  body += '}';
  call->Answer({.body = std::move(body)});
}

void NativeLive(const CallPtr& call) { call->Answer({.body = R"({"status":"alive"})"}); }

}  // namespace embedding::api
