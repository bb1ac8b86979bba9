#include "api/openai.h"

#include <string>
#include <string_view>
#include <utility>

#include "api/json_reader.h"
#include "api/truncation.h"
#include "api/unsupported_fields.h"
#include "api/usage.h"
#include "api/vector_format.h"
#include "base/json_writer.h"

namespace embedding::api {
namespace {

struct EmbedOptions {
  Embedder* model = nullptr;
  OutputDtype dtype = OutputDtype::kFloat;
  bool base64 = false;
  size_t texts = 0;
};

// "embedding_type", Jina's word for both "encoding_format" and "output_dtype".
Status ReadEmbeddingType(const JsonReader& json, EmbedOptions& options) {
  if (!json.Has("embedding_type")) return {};
  if (json.Has("encoding_format") || json.Has("output_dtype")) {
    return Error{ErrorCode::kInvalidArgument,
                 "embedding_type: says what encoding_format and output_dtype say; send one or the "
                 "other",
                 "embedding_type"};
  }
  constexpr std::string_view kTypes[] = {"float", "int8", "uint8", "binary", "ubinary", "base64"};
  ASSIGN_OR_RETURN(const size_t type, json.Choice("embedding_type", kTypes));
  options.base64 = options.base64 || kTypes[type] == "base64";
  if (kTypes[type] != "base64") options.dtype = static_cast<OutputDtype>(type);
  return {};
}

Result<EmbedOptions> ParseEmbeddings(const Call& call, const JsonReader& json,
                                     EmbedRequest& request) {
  EmbedOptions options;
  ASSIGN_OR_RETURN(Inputs inputs,
                   json.TextsOrIds("input", MaxTexts(call.options, TextLimit::kOpenAi)));
  request.texts = std::move(inputs.texts);
  request.input_ids = std::move(inputs.input_ids);
  options.texts = request.size();
  ASSIGN_OR_RETURN(request.dimensions, json.PositiveInteger("dimensions"));
  ASSIGN_OR_RETURN(request.prompt_name, json.String("prompt_name"));
  RETURN_IF_ERROR(ReadTruncation(json, request));
  ASSIGN_OR_RETURN(const bool normalize, json.Bool("normalize", true));
  ASSIGN_OR_RETURN(request.normalize, json.Bool("normalized", normalize));  // Jina's
  constexpr std::string_view kFormats[] = {"float", "base64"};
  ASSIGN_OR_RETURN(const size_t format, json.Choice("encoding_format", kFormats));
  options.base64 = format == 1;
  ASSIGN_OR_RETURN(options.dtype, ReadOutputDtype(json));
  RETURN_IF_ERROR(ReadEmbeddingType(json, options));
  RETURN_IF_ERROR(json.RefuseAllOf(kEmbedUnsupported));
  ASSIGN_OR_RETURN(options.model, call.Select(Purpose::kEmbed, json));
  return options;
}

Result<Response> FormatEmbeddings(const EmbedResponse& response, const std::string& model,
                                  const EmbedOptions& options) {
  std::string body;
  body.reserve(response.embeddings.size() * JsonWriter::kMaxFloatChars + 1024);
  JsonWriter json(body);
  json.BeginObject().Key("object").String("list").Key("data").BeginArray();
  for (size_t i = 0; i < options.texts; ++i) {
    json.BeginObject().Key("object").String("embedding").Key("index").Integer(i).Key("embedding");
    RETURN_IF_ERROR(options.base64 ? WriteBase64(response.embedding(i), options.dtype, json)
                                   : WriteVector(response.embedding(i), options.dtype, json));
    json.EndObject();
  }
  json.EndArray().Key("model").String(model);
  WriteUsage(response.prompt_tokens, json);
  json.EndObject();
  return Response{.body = std::move(body)};
}

void WriteModel(const ModelInfo& info, JsonWriter& json) {
  json.BeginObject().Key("id").String(info.name).Key("object").String("model");
  json.Key("created").Integer(0).Key("owned_by").String("embedding-service").EndObject();
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

void OpenAiEmbeddings(const CallPtr& call, const JsonReader& json) {
  EmbedRequest request;
  const Result<EmbedOptions> options = ParseEmbeddings(*call, json, request);
  if (!options.ok()) return call->Fail(options.error());
  AnswerEmbed(call, *options->model, std::move(request), "input",
              [options = *options](const EmbedResponse& response) {
                return FormatEmbeddings(response, options.model->info().name, options);
              });
}

void OpenAiModels(const CallPtr& call) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("object").String("list").Key("data").BeginArray();
  for (const Embedder* model : *call->models) WriteModel(model->info(), json);
  json.EndArray().EndObject();
  call->Answer({.body = std::move(body)});
}

void OpenAiModel(const CallPtr& call) {
  constexpr std::string_view kPrefix = "/v1/models/";
  const std::string_view target = call->request.target;
  std::string id = PercentDecoded(target.substr(kPrefix.size(), target.find('?') - kPrefix.size()));
  if (id.ends_with('/')) id.pop_back();
  const Embedder* model = call->Named(id);
  if (model == nullptr) {
    return call->Fail(
        {ErrorCode::kNotFound, "no such model here; GET /v1/models lists them", "model"});
  }
  std::string body;
  JsonWriter json(body);
  WriteModel(model->info(), json);
  call->Answer({.body = std::move(body)});
}

}  // namespace embedding::api
