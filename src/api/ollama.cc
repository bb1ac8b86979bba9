#include "api/ollama.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/vector_format.h"

namespace embedding::api {
namespace {

struct EmbedOptions {
  std::optional<std::string> model;
  OutputDtype dtype = OutputDtype::kFloat;
  size_t texts = 0;
};

Result<EmbedOptions> ParseEmbed(const Call& call, const char* texts_field, EmbedRequest& request) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  EmbedOptions options;
  ASSIGN_OR_RETURN(options.model, json.String("model"));
  ASSIGN_OR_RETURN(request.texts,
                   json.Texts(texts_field, MaxTexts(call.options, TextLimit::kOpenAi)));
  options.texts = request.size();
  ASSIGN_OR_RETURN(request.truncate, json.Bool("truncate", true));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(options.dtype, ReadOutputDtype(json));
  return options;
}

Result<Response> FormatEmbed(const EmbedResponse& response, const std::string& model,
                             const EmbedOptions& options,
                             std::chrono::steady_clock::time_point received) {
  std::string body = R"({"model":)";
  AppendJsonString(model, body);
  body += R"(,"embeddings":[)";
  for (size_t i = 0; i < options.texts; ++i) {
    if (i > 0) body += ',';
    RETURN_IF_ERROR(AppendVector(response.embedding(i), options.dtype, body));
  }
  const std::chrono::nanoseconds total = std::chrono::steady_clock::now() - received;
  body += R"(],"total_duration":)";
  AppendJsonInteger(static_cast<uint64_t>(total.count()), body);
  body += R"(,"load_duration":0,"prompt_eval_count":)";
  AppendJsonInteger(response.prompt_tokens, body);
  body += '}';
  return Response{.body = std::move(body)};
}

}  // namespace

void OllamaEmbed(const CallPtr& call) {
  EmbedRequest request;
  Result<EmbedOptions> options = ParseEmbed(*call, "input", request);
  if (!options.ok()) return call->Fail(options.error());
  Embedder& embedder = call->Select(Purpose::kEmbed, options->model);
  AnswerEmbed(call, embedder, std::move(request), "input",
              [&embedder, received = call->received,
               options = *std::move(options)](const EmbedResponse& response) {
                return FormatEmbed(response, embedder.info().name, options, received);
              });
}

void OllamaEmbeddings(const CallPtr& call) {
  EmbedRequest request;
  Result<EmbedOptions> options = ParseEmbed(*call, "prompt", request);
  if (!options.ok()) return call->Fail(options.error());
  if (options->texts != 1) {
    return call->Fail({ErrorCode::kInvalidArgument, "prompt: expected one string", "prompt"});
  }
  // The older form gives vectors as the model does, not normalised.
  request.normalize = false;
  AnswerEmbed(call, call->Select(Purpose::kEmbed, options->model), std::move(request), "prompt",
              [](const EmbedResponse& response) -> Result<Response> {
                std::string body = R"({"embedding":)";
                RETURN_IF_ERROR(AppendVector(response.embedding(0), OutputDtype::kFloat, body));
                body += '}';
                return Response{.body = std::move(body)};
              });
}

void OllamaTags(const CallPtr& call) {
  std::string body = R"({"models":[)";
  for (const Embedder* model : *call->models) {
    if (body.back() != '[') body += ',';
    body += R"({"name":)";
    AppendJsonString(model->info().name, body);
    body += R"(,"model":)";
    AppendJsonString(model->info().name, body);
    body += R"(,"details":{"format":"safetensors","family":"bert","quantization_level":)";
    AppendJsonString(model->info().dtype, body);
    body += "}}";
  }
  body += "]}";
  call->Answer({.body = std::move(body)});
}

void OllamaVersion(const CallPtr& call) {
  std::string body = R"({"version":)";
  AppendJsonString(EMBEDDING_SERVICE_VERSION, body);
  body += '}';
  call->Answer({.body = std::move(body)});
}

}  // namespace embedding::api
