#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/json_errors.h"
#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/ollama.h"

namespace embedding::api {
namespace {

// "22.7M", as Ollama counts parameters.
std::string ParameterSize(uint64_t parameters) {
  constexpr double kThousand = 1e3;
  constexpr double kMillion = 1e6;
  constexpr double kBillion = 1e9;
  const auto count = static_cast<double>(parameters);
  if (count >= kBillion) return fmt::format("{:.1f}B", count / kBillion);
  if (count >= kMillion) return fmt::format("{:.2f}M", count / kMillion);
  if (count >= kThousand) return fmt::format("{:.2f}K", count / kThousand);
  return std::to_string(parameters);
}

std::string Timestamp(int64_t seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

// {"format",...}, and before it its name.
void AppendDetails(const ModelInfo& info, std::string& body) {
  body += R"("details":{"parent_model":"","format":"safetensors","family":)";
  AppendJsonString(info.family, body);
  body += R"(,"families":[)";
  AppendJsonString(info.family, body);
  body += R"(],"parameter_size":)";
  AppendJsonString(ParameterSize(info.parameters), body);
  body += R"(,"quantization_level":)";
  AppendJsonString(info.dtype, body);
  body += '}';
}

// {"models":[...]}; `append` writes what the route has beside the rest.
template <typename Append>
void AnswerModels(const CallPtr& call, const Append& append) {
  std::string body = R"({"models":[)";
  for (const Embedder* model : *call->models) {
    const ModelInfo& info = model->info();
    if (body.back() != '[') body += ',';
    body += R"({"name":)";
    AppendJsonString(info.name, body);
    body += R"(,"model":)";
    AppendJsonString(info.name, body);
    body += R"(,"size":)";
    AppendJsonInteger(info.weight_bytes, body);
    body += R"(,"digest":)";
    AppendJsonString(info.digest, body);
    body += ',';
    AppendDetails(info, body);
    append(info, body);
    body += '}';
  }
  body += "]}";
  call->Answer({.body = std::move(body)});
}

// "model", or as older clients have it "name".
Result<std::string> ModelName(const JsonReader& json) {
  const char* field = json.Has("name") && !json.Has("model") ? "name" : "model";
  ASSIGN_OR_RETURN(std::string name, json.RequiredString(field));
  if (!name.empty()) return name;
  return Error{ErrorCode::kInvalidArgument,
               std::string(field) + ": expected a model's name, got \"\"; GET /api/tags lists them",
               field};
}

Error NotFound(std::string_view name, std::string_view advice) {
  std::string message = "model '";
  message += Beginning(name);
  message += "' not found";
  message += advice;
  return {ErrorCode::kNotFound, std::move(message), "model"};
}

}  // namespace

void OllamaTags(const CallPtr& call) {
  AnswerModels(call, [](const ModelInfo& info, std::string& body) {
    body += R"(,"modified_at":)";
    AppendJsonString(Timestamp(info.modified), body);
  });
}

// Models stay loaded: the end of time is Ollama's for those.
void OllamaRunning(const CallPtr& call) {
  AnswerModels(call, [](const ModelInfo&, std::string& body) {
    body += R"(,"expires_at":"9999-12-31T23:59:59Z","size_vram":0)";
  });
}

void OllamaShow(const CallPtr& call, const JsonReader& json) {
  const Result<std::string> name = ModelName(json);
  if (!name.ok()) return call->Fail(name.error());
  // Whoever asks what a model is must not be told of another, strict names or not.
  const Embedder* model = call->Named(*name);
  if (model == nullptr) {
    return call->Fail(NotFound(*name, "; GET /api/tags lists the models that there are"));
  }
  const ModelInfo& info = model->info();
  std::string body = R"({"modelfile":"","parameters":"","template":"","model":)";
  AppendJsonString(info.name, body);
  body += R"(,"modified_at":)";
  AppendJsonString(Timestamp(info.modified), body);
  body += ',';
  AppendDetails(info, body);
  body += R"(,"model_info":{"general.architecture":)";
  AppendJsonString(info.family, body);
  fmt::format_to(
      std::back_inserter(body),
      R"(,"general.parameter_count":{},"{}.context_length":{},"{}.embedding_length":{}}})",
      info.parameters, info.family, info.max_input_tokens, info.family, info.dimension);
  body += info.is_classifier() ? R"(,"capabilities":[]})" : R"(,"capabilities":["embedding"]})";
  call->Answer({.body = std::move(body)});
}

// Of a model that is here already; no other is fetched while the server runs.
void OllamaPull(const CallPtr& call, const JsonReader& json) {
  const Result<std::string> name = ModelName(json);
  if (!name.ok()) return call->Fail(name.error());
  const Result<bool> stream = json.Bool("stream", true);
  if (!stream.ok()) return call->Fail(stream.error());
  if (call->Named(*name) == nullptr) {
    return call->Fail(
        NotFound(*name, "; this server pulls nothing while it runs: start it with --model " +
                            std::string(Beginning(*name)) + " to have that"));
  }
  if (!*stream) return call->Answer({.body = R"({"status":"success"})"});
  call->Answer({.body = "{\"status\":\"success\"}\n", .content_type = "application/x-ndjson"});
}

void OllamaVersion(const CallPtr& call) {
  std::string body = R"({"version":)";
  AppendJsonString(EMBEDDING_SERVICE_VERSION, body);
  body += '}';
  call->Answer({.body = std::move(body)});
}

}  // namespace embedding::api
