#include "api/openai.h"

#include <string>
#include <string_view>
#include <utility>

#include "api/json_reader.h"
#include "api/json_writer.h"
#include "api/vector_format.h"

namespace embedding::api {
namespace {

struct EmbedOptions {
  std::optional<std::string> model;
  OutputDtype dtype = OutputDtype::kFloat;
  bool base64 = false;
  size_t texts = 0;
};

Result<EmbedOptions> ParseEmbeddings(const Call& call, EmbedRequest& request) {
  JsonReader json;
  RETURN_IF_ERROR(json.Parse(call.request.body));
  EmbedOptions options;
  ASSIGN_OR_RETURN(Inputs inputs,
                   json.TextsOrIds("input", MaxTexts(call.options, TextLimit::kOpenAi)));
  request.texts = std::move(inputs.texts);
  request.input_ids = std::move(inputs.input_ids);
  options.texts = request.size();
  ASSIGN_OR_RETURN(options.model, json.String("model"));
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  constexpr std::string_view kFormats[] = {"float", "base64"};
  ASSIGN_OR_RETURN(const size_t format, json.Choice("encoding_format", kFormats));
  options.base64 = format == 1;
  ASSIGN_OR_RETURN(options.dtype, ReadOutputDtype(json));
  return options;
}

Result<Response> FormatEmbeddings(const EmbedResponse& response, const std::string& model,
                                  const EmbedOptions& options) {
  std::string body;
  body.reserve(response.embeddings.size() * kMaxJsonFloatChars + 1024);
  body += R"({"object":"list","data":[)";
  for (size_t i = 0; i < options.texts; ++i) {
    if (i > 0) body += ',';
    body += R"({"object":"embedding","index":)";
    AppendJsonInteger(i, body);
    body += R"(,"embedding":)";
    RETURN_IF_ERROR(options.base64 ? AppendBase64(response.embedding(i), options.dtype, body)
                                   : AppendVector(response.embedding(i), options.dtype, body));
    body += '}';
  }
  body += R"(],"model":)";
  AppendJsonString(model, body);
  body += ',';
  AppendUsage(response.prompt_tokens, body);
  body += '}';
  return Response{.body = std::move(body)};
}

void AppendModel(const ModelInfo& info, std::string& body) {
  body += R"({"id":)";
  AppendJsonString(info.name, body);
  body += R"(,"object":"model","created":0,"owned_by":"embedding-service"})";
}

// "%2F" as clients send it for the slash of an id.
std::string PercentDecoded(std::string_view text) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto digit = [&](size_t k) {
      const char c = k < text.size() ? text[k] : 0;
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
    };
    if (text[i] == '%' && digit(i + 1) >= 0 && digit(i + 2) >= 0) {
      decoded += static_cast<char>(digit(i + 1) * 16 + digit(i + 2));
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

}  // namespace

void OpenAiEmbeddings(const CallPtr& call) {
  EmbedRequest request;
  Result<EmbedOptions> options = ParseEmbeddings(*call, request);
  if (!options.ok()) return call->Fail(options.error());
  Embedder& embedder = call->Select(Purpose::kEmbed, options->model);
  AnswerEmbed(call, embedder, std::move(request), "input",
              [&embedder, options = *std::move(options)](const EmbedResponse& response) {
                return FormatEmbeddings(response, embedder.info().name, options);
              });
}

void OpenAiModels(const CallPtr& call) {
  std::string body = R"({"object":"list","data":[)";
  for (const Embedder* model : *call->models) {
    if (body.back() != '[') body += ',';
    AppendModel(model->info(), body);
  }
  body += "]}";
  call->Answer({.body = std::move(body)});
}

void OpenAiModel(const CallPtr& call) {
  constexpr std::string_view kPrefix = "/v1/models/";
  const std::string_view target = call->request.target;
  const std::string id =
      PercentDecoded(target.substr(kPrefix.size(), target.find('?') - kPrefix.size()));
  for (const Embedder* model : *call->models) {
    if (model->info().name != id) continue;
    std::string body;
    AppendModel(model->info(), body);
    return call->Answer({.body = std::move(body)});
  }
  call->Fail({ErrorCode::kNotFound, "no such model here; GET /v1/models lists them", "model"});
}

}  // namespace embedding::api
