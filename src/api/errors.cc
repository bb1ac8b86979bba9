#include "api/errors.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

#include "base/json_writer.h"

namespace embedding::api {
namespace {

// Everything else is a failure of this program, not of the request.
constexpr int kInternalError = 500;

struct CodeRow {
  ErrorCode code;
  int status;
};
constexpr CodeRow kCodes[] = {
    {ErrorCode::kMalformed, 400},   {ErrorCode::kInvalidArgument, 422},
    {ErrorCode::kEmpty, 400},       {ErrorCode::kTimeout, 408},
    {ErrorCode::kCancelled, 499},   {ErrorCode::kNotFound, 404},
    {ErrorCode::kUnsupported, 424}, {ErrorCode::kOverloaded, 429},
    {ErrorCode::kUnavailable, 503}, {ErrorCode::kOutOfMemory, 503},
};

int StatusOf(ErrorCode code) {
  const auto* row = std::find_if(std::begin(kCodes), std::end(kCodes),
                                 [code](const CodeRow& each) { return each.code == code; });
  return row == std::end(kCodes) ? kInternalError : row->status;
}

// text-embeddings-inference's "error_type".
std::string_view TypeOf(int status) {
  switch (status) {
    case 424:
    case 500:
      return "Backend";
    case 429:
      return "Overloaded";
    case 503:
      return "Unhealthy";
    default:
      return "Validation";
  }
}

// All that a body may tell.
struct Shown {
  int status;
  std::string_view type;
  std::string message;
  std::string_view param = {};  // the field at fault, if there is one
  std::string_view code = {};   // OpenAI's name for it, if there is one
};

using WriteBody = std::string (*)(const Shown&);

std::string NativeBody(const Shown& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("error").String(error.message).Key("error_type").String(error.type);
  json.Key("detail").String(error.message).EndObject();
  return body;
}

void WriteStringOrNull(std::string_view text, JsonWriter& json) {
  text.empty() ? json.Null() : json.String(text);
}

std::string OpenAiBody(const Shown& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("error").BeginObject().Key("message").String(error.message);
  json.Key("type").String(error.status >= 500   ? "server_error"
                          : error.status == 429 ? "rate_limit_error"
                                                : "invalid_request_error");
  WriteStringOrNull(error.param, json.Key("param"));
  WriteStringOrNull(error.code, json.Key("code"));
  json.EndObject().EndObject();
  return body;
}

std::string RerankBody(const Shown& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("message").String(error.message);
  json.Key("detail").String(error.message).EndObject();
  return body;
}

std::string OllamaBody(const Shown& error) {
  std::string body;
  JsonWriter(body).BeginObject().Key("error").String(error.message).EndObject();
  return body;
}

struct Dialect {
  std::string_view target;  // what targets begin with
  WriteBody write;
};
// The first that fits.
constexpr Dialect kDialects[] = {{"/v1/rerank", RerankBody},
                                 {"/v2/rerank", RerankBody},
                                 {"/reranking", RerankBody},
                                 {"/v1/", OpenAiBody},
                                 {"/embeddings", OpenAiBody},
                                 {"/api/", OllamaBody},
                                 {"", NativeBody}};

// What is answered 500 is for the log, and the client gets the id under which it stands there.
http::Response ResponseOf(Shown error, std::string_view target, std::string_view request_id) {
  if (error.status == kInternalError) {
    spdlog::error("request {}: {}", request_id, error.message);
    error.message = "internal error; the server's log tells more under request id ";
    error.message += request_id;
  }
  http::Response response;
  response.status = error.status;
  response.headers = http::AdviceOf(error.status);
  const auto* dialect =
      std::find_if(std::begin(kDialects), std::end(kDialects),
                   [&](const Dialect& candidate) { return target.starts_with(candidate.target); });
  response.body = dialect->write(error);
  return response;
}

}  // namespace

http::Response ErrorResponse(const Error& error, std::string_view target,
                             std::string_view request_id) {
  const int status = StatusOf(error.code);
  const bool no_model = error.code == ErrorCode::kNotFound && error.field == "model";
  return ResponseOf({.status = status,
                     .type = error.code == ErrorCode::kEmpty ? "Empty" : TypeOf(status),
                     .message = error.message,
                     .param = error.field,
                     .code = no_model ? "model_not_found" : ""},
                    target, request_id);
}

http::Response RefusalResponse(const http::Refusal& refusal, std::string_view target,
                               std::string_view request_id) {
  const int status = static_cast<int>(refusal.status);
  const std::string_view code =
      refusal.status == http::StatusCode::kUnauthorized      ? "invalid_api_key"
      : refusal.status == http::StatusCode::kTooManyRequests ? "rate_limit_exceeded"
                                                             : "";
  return ResponseOf(
      {.status = status, .type = TypeOf(status), .message = refusal.message, .code = code}, target,
      request_id);
}

Error NameTexts(Error error, std::string_view field) {
  constexpr std::string_view kTexts = "texts";
  if (error.field.starts_with(kTexts)) error.field.replace(0, kTexts.size(), field);
  if (error.message.starts_with(kTexts)) error.message.replace(0, kTexts.size(), field);
  return error;
}

}  // namespace embedding::api
