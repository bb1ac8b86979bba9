#include "api/native.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/accept.h"
#include "api/errors.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "api/usage.h"
#include "api/vector_format.h"
#include "base/json_writer.h"

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
Status WriteWeights(const std::vector<TokenWeight>& weights, JsonWriter& json) {
  json.BeginObject();
  for (const TokenWeight& token : weights) {
    RETURN_IF_ERROR(json.Key(std::to_string(token.id)).Float(token.weight));
  }
  json.EndObject();
  return {};
}

Result<Response> FormatEmbed(const EmbedResponse& response, const Embedder& embedder,
                             const Outputs& outputs, OutputDtype dtype, size_t texts) {
  std::string body;
  body.reserve(response.embeddings.size() * JsonWriter::kMaxFloatChars + 1024);
  JsonWriter json(body);
  json.BeginObject();
  if (outputs.dense) {
    json.Key("embeddings").BeginArray();
    for (size_t i = 0; i < texts; ++i) {
      RETURN_IF_ERROR(WriteVector(response.embedding(i), dtype, json));
    }
    json.EndArray();
  }
  json.Key("model").String(embedder.info().name).Key("dimension").Integer(response.dimension);
  if (outputs.lexical_weights) {
    json.Key("lexical_weights").BeginArray();
    for (size_t i = 0; i < texts; ++i) {
      RETURN_IF_ERROR(WriteWeights(response.lexical_weights[i], json));
    }
    json.EndArray();
  }
  if (outputs.colbert_vecs) {
    json.Key("colbert_vecs").BeginArray();
    for (size_t i = 0; i < texts; ++i) {
      RETURN_IF_ERROR(json.Rows(response.colbert_vecs[i], response.colbert_dimension));
    }
    json.EndArray();
  }
  WriteUsage(response.prompt_tokens, json);
  json.EndObject();
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

// How far a download is, while there is one.
void WriteProgress(const Loading& loading, JsonWriter& json) {
  const std::optional<Loading::Download> download = loading.download();
  if (!download) return;
  json.Key("download").BeginObject().Key("file").String(download->file);
  json.Key("done_bytes").Integer(download->done_bytes);
  json.Key("total_bytes").Integer(download->total_bytes).EndObject();
}

// RFC 3339, in UTC.
std::string TimeOf(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%TZ}", std::chrono::time_point_cast<std::chrono::seconds>(time));
}

// Of each device whether it works, and what is wrong if it does not.
void WriteDevices(const Models& models, JsonWriter& json) {
  json.Key("devices").BeginArray();
  for (const Embedder* model : models) {
    for (const DeviceState& device : model->devices()) {
      json.BeginObject().Key("model").String(model->info().name);
      json.Key("device").String(device.device);
      json.Key("status").String(device.silent_since  ? "hanging"
                                : device.status.ok() ? "healthy"
                                                     : "failed");
      if (!device.status.ok()) json.Key("error").String(device.status.error().message);
      if (device.silent_since) json.Key("since").String(TimeOf(*device.silent_since));
      json.EndObject();
    }
  }
  json.EndArray();
}

// Whether there is more to tell of the devices than that there is one, which works.
bool AreWorthTelling(const Models& models) {
  return std::any_of(models.begin(), models.end(), [](const Embedder* model) {
    const std::vector<DeviceState> devices = model->devices();
    return devices.size() > 1 ||
           std::any_of(devices.begin(), devices.end(),
                       [](const DeviceState& device) { return !device.status.ok(); });
  });
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

Response HealthOf(const Call& call) {
  std::string name = call.options.model_name;
  Status health;  // of the first model that has failed
  if (call.models != nullptr) {
    name = call.models->front()->info().name;
    for (const Embedder* model : *call.models) {
      if (health.ok()) health = model->health();
    }
  }
  if (call.models == nullptr || !health.ok()) {
    Response response = ErrorResponse({ErrorCode::kUnavailable, "", ""}, call.request.target,
                                      call.request.request_id);
    response.body.clear();
    JsonWriter json(response.body);
    json.BeginObject().Key("status").String(health.ok() ? "loading" : "unhealthy");
    if (!health.ok()) json.Key("error").String(health.error().message);
    json.Key("model").String(name);
    if (health.ok()) WriteProgress(call.loading, json);
    if (call.models != nullptr) WriteDevices(*call.models, json);
    json.EndObject();
    return response;
  }
  const ModelInfo& info = call.models->front()->info();
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("status").String("healthy").Key("model").String(name);
  json.Key("device").String(info.device).Key("dimension").Integer(info.dimension);
  if (AreWorthTelling(*call.models)) WriteDevices(*call.models, json);
  json.EndObject();
  return {.body = std::move(body)};
}

void NativeHealth(const CallPtr& call) { call->Answer(HealthOf(*call)); }

void NativeLive(const CallPtr& call) { call->Answer({.body = R"({"status":"alive"})"}); }

}  // namespace embedding::api
