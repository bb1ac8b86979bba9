#include "api/errors.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

#include "base/json_writer.h"

namespace embedding::api {
namespace {

struct ErrorRow {
  ErrorCode code;
  int status;
  std::string_view type;
  std::string_view header = "";  // that tells what to do, if any
  std::string_view header_value = "";
};

// A full queue drains within a second or so; loading and restarting take longer.
constexpr ErrorRow kErrors[] = {
    {ErrorCode::kMalformed, 400, "Validation"},
    {ErrorCode::kInvalidArgument, 422, "Validation"},
    {ErrorCode::kEmpty, 400, "Empty"},
    {ErrorCode::kUnauthorized, 401, "Validation", "WWW-Authenticate", "Bearer"},
    {ErrorCode::kPayloadTooLarge, 413, "Validation"},
    {ErrorCode::kHeaderTooLarge, 431, "Validation"},
    {ErrorCode::kUnsupportedMediaType, 415, "Validation", "Accept-Encoding", "identity"},
    {ErrorCode::kNotImplemented, 501, "Validation"},
    {ErrorCode::kTimeout, 408, "Validation"},
    // nginx's status for it: nobody is there to read the answer, but the log is.
    {ErrorCode::kCancelled, 499, "Validation"},
    {ErrorCode::kNotFound, 404, "Validation"},
    {ErrorCode::kMethodNotAllowed, 405, "Validation"},
    {ErrorCode::kUnsupported, 424, "Backend"},
    {ErrorCode::kOverloaded, 429, "Overloaded", "Retry-After", "1"},
    {ErrorCode::kUnavailable, 503, "Unhealthy", "Retry-After", "5"},
};
// Everything else is a failure of this program, not of the request.
constexpr ErrorRow kInternalError = {ErrorCode::kInternal, 500, "Backend"};

const ErrorRow& RowOf(ErrorCode code) {
  const auto* row =
      std::find_if(std::begin(kErrors), std::end(kErrors),
                   [code](const ErrorRow& candidate) { return candidate.code == code; });
  return row == std::end(kErrors) ? kInternalError : *row;
}

using WriteBody = std::string (*)(const ErrorRow&, const Error&);

std::string NativeBody(const ErrorRow& row, const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("error").String(error.message).Key("error_type").String(row.type);
  json.Key("detail").String(error.message).EndObject();
  return body;
}

std::string OpenAiBody(const ErrorRow& row, const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("error").BeginObject().Key("message").String(error.message);
  json.Key("type").String(row.status >= 500   ? "server_error"
                          : row.status == 429 ? "rate_limit_error"
                                              : "invalid_request_error");
  json.Key("param");
  if (error.field.empty()) {
    json.Null();
  } else {
    json.String(error.field);
  }
  json.Key("code");
  if (error.code == ErrorCode::kUnauthorized) {
    json.String("invalid_api_key");
  } else if (error.code == ErrorCode::kNotFound && error.field == "model") {
    json.String("model_not_found");
  } else {
    json.Null();
  }
  json.EndObject().EndObject();
  return body;
}

std::string RerankBody(const ErrorRow&, const Error& error) {
  std::string body;
  JsonWriter json(body);
  json.BeginObject().Key("message").String(error.message);
  json.Key("detail").String(error.message).EndObject();
  return body;
}

std::string OllamaBody(const ErrorRow&, const Error& error) {
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

}  // namespace

Response ErrorResponse(const Error& error, std::string_view target, std::string_view request_id) {
  const ErrorRow& row = RowOf(error.code);
  Error shown = error;
  if (&row == &kInternalError) {
    spdlog::error("request {}: {}", request_id, error.message);
    shown.message = "internal error; the server's log tells more under request id ";
    shown.message += request_id;
  }
  Response response;
  response.status = row.status;
  if (!row.header.empty()) {
    response.headers.push_back({std::string(row.header), std::string(row.header_value)});
  }
  const auto* dialect =
      std::find_if(std::begin(kDialects), std::end(kDialects),
                   [&](const Dialect& candidate) { return target.starts_with(candidate.target); });
  response.body = dialect->write(row, shown);
  return response;
}

Error NameTexts(Error error, std::string_view field) {
  constexpr std::string_view kTexts = "texts";
  if (error.field.starts_with(kTexts)) error.field.replace(0, kTexts.size(), field);
  if (error.message.starts_with(kTexts)) error.message.replace(0, kTexts.size(), field);
  return error;
}

}  // namespace embedding::api
