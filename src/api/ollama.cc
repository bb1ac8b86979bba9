#include "api/ollama.h"

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "api/json_reader.h"
#include "api/truncation.h"
#include "api/vector_format.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

struct EmbedOptions {
  Embedder* model = nullptr;
  OutputDtype dtype = OutputDtype::kFloat;
  size_t texts = 0;
};

// Whether there is nothing to embed: clients load a model with such a request.
bool IsEmpty(const JsonReader& json, const char* field) {
  const Result<std::optional<std::string>> text = json.String(field);
  return json.Count(field) == 0 || (text.ok() && *text == "");
}

Result<EmbedOptions> ParseEmbed(const Call& call, const JsonReader& json, const char* texts_field,
                                EmbedRequest& request) {
  EmbedOptions options;
  if (!IsEmpty(json, texts_field)) {
    ASSIGN_OR_RETURN(request.texts,
                     json.Texts(texts_field, MaxTexts(call.options, TextLimit::kOpenAi)));
  }
  options.texts = request.size();
  RETURN_IF_ERROR(ReadTruncation(json, request));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  ASSIGN_OR_RETURN(options.dtype, ReadOutputDtype(json));
  if (json.Has("options")) {
    JsonReader runtime = json;
    RETURN_IF_ERROR(runtime.Enter("options"));
    // The others are about writing text, or about how the work is done.
    ASSIGN_OR_RETURN(const std::optional<size_t> num_ctx, runtime.PositiveInteger("num_ctx"));
    if (num_ctx) request.max_tokens = std::min(*num_ctx, request.max_tokens.value_or(*num_ctx));
  }
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kEmbed, json));
  return options;
}

Result<Response> FormatEmbed(const EmbedResponse& response, const EmbedOptions& options,
                             std::chrono::steady_clock::time_point received) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("model").String(options.model->info().name);
  json.Key("embeddings").BeginArray();
  for (size_t i = 0; i < options.texts; ++i) {
    RETURN_IF_ERROR(WriteVector(response.embedding(i), options.dtype, json));
  }
  json.EndArray();
  const std::chrono::nanoseconds total = std::chrono::steady_clock::now() - received;
  json.Key("total_duration").Integer(total.count()).Key("load_duration").Integer(0);
  json.Key("prompt_eval_count").Integer(response.prompt_tokens).EndObject();
  return Response{.body = std::move(body)};
}

// {"embedding":[...]}, which is empty where nothing was to be embedded.
Result<Response> FormatEmbedding(std::span<const float> vector, OutputDtype dtype) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject();
  RETURN_IF_ERROR(WriteVector(vector, dtype, json.Key("embedding")));
  json.EndObject();
  return Response{.body = std::move(body)};
}

}  // namespace

void OllamaEmbed(const CallPtr& call, const JsonReader& json) {
  EmbedRequest request;
  const Result<EmbedOptions> options = ParseEmbed(*call, json, "input", request);
  if (!options.ok()) return call->Fail(options.error());
  const auto format = [received = call->received,
                       options = *options](const EmbedResponse& response) {
    return FormatEmbed(response, options, received);
  };
  if (options->texts == 0) return call->Answer(*format(EmbedResponse()));
  AnswerEmbed(call, *options->model, std::move(request), "input", format);
}

void OllamaEmbeddings(const CallPtr& call, const JsonReader& json) {
  EmbedRequest request;
  const Result<EmbedOptions> options = ParseEmbed(*call, json, "prompt", request);
  if (!options.ok()) return call->Fail(options.error());
  if (options->texts == 0) return call->Answer(*FormatEmbedding({}, options->dtype));
  if (options->texts != 1) {
    return call->Fail({ErrorCode::kInvalidArgument, "prompt: expected one string", "prompt"});
  }
  // The older form gives vectors as the model does, not normalised.
  request.normalize = false;
  AnswerEmbed(call, *options->model, std::move(request), "prompt",
              [dtype = options->dtype](const EmbedResponse& response) {
                return FormatEmbedding(response.embedding(0), dtype);
              });
}

}  // namespace embedding::api
