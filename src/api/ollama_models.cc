#include <fmt/chrono.h>
#include <fmt/format.h>

#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/json_errors.h"
#include "api/json_reader.h"
#include "api/ollama.h"
#include "base/json_writer.h"

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

// The field "details" of the object that has been begun.
void WriteDetails(const ModelInfo& info, JsonWriter& json) {
  json.Key("details").BeginObject().Key("parent_model").String("");
  json.Key("format").String("safetensors").Key("family").String(info.family);
  json.Key("families").BeginArray().String(info.family).EndArray();
  json.Key("parameter_size").String(ParameterSize(info.parameters));
  json.Key("quantization_level").String(info.dtype).EndObject();
}

// {"models":[...]}; `write` writes the fields that the route has beside the rest.
template <typename Write>
void AnswerModels(const CallPtr& call, const Write& write) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("models").BeginArray();
  for (const Embedder* model : *call->models) {
    const ModelInfo& info = model->info();
    json.BeginObject().Key("name").String(info.name).Key("model").String(info.name);
    json.Key("size").Integer(info.weight_bytes).Key("digest").String(info.digest);
    WriteDetails(info, json);
    write(info, json);
    json.EndObject();
  }
  json.EndArray().EndObject();
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
  AnswerModels(call, [](const ModelInfo& info, JsonWriter& json) {
    json.Key("modified_at").String(Timestamp(info.modified));
  });
}

// Models stay loaded: the end of time is Ollama's for those.
void OllamaRunning(const CallPtr& call) {
  AnswerModels(call, [](const ModelInfo&, JsonWriter& json) {
    json.Key("expires_at").String("9999-12-31T23:59:59Z").Key("size_vram").Integer(0);
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
  std::string body;
  JsonWriter out(body);
  out.BeginObject().Key("modelfile").String("").Key("parameters").String("");
  out.Key("template").String("").Key("model").String(info.name);
  out.Key("modified_at").String(Timestamp(info.modified));
  WriteDetails(info, out);
  out.Key("model_info").BeginObject().Key("general.architecture").String(info.family);
  out.Key("general.parameter_count").Integer(info.parameters);
  out.Key(info.family + ".context_length").Integer(info.max_input_tokens);
  out.Key(info.family + ".embedding_length").Integer(info.dimension).EndObject();
  out.Key("capabilities").BeginArray();
  if (!info.is_classifier()) out.String("embedding");
  out.EndArray().EndObject();
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
  std::string body;
  JsonWriter(body).BeginObject().Key("status").String("success").EndObject();
  if (!*stream) return call->Answer({.body = std::move(body)});
  body += '\n';
  call->Answer({.body = std::move(body), .content_type = "application/x-ndjson"});
}

void OllamaVersion(const CallPtr& call) {
  std::string body;
  JsonWriter(body).BeginObject().Key("version").String(EMBEDDING_SERVICE_VERSION).EndObject();
  call->Answer({.body = std::move(body)});
}

}  // namespace embedding::api
