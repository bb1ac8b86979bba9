#include "api/errors.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <string>

#include "api/json_writer.h"

namespace embedding::api {
namespace {

struct ErrorRow {
  ErrorCode code;
  int status;
  std::string_view type;
  std::string_view retry_after_s;  // "" sends no Retry-After
};

// A full queue drains within a second or so; loading and restarting take longer.
constexpr ErrorRow kErrors[] = {
    {ErrorCode::kMalformed, 400, "Validation", ""},
    {ErrorCode::kInvalidArgument, 422, "Validation", ""},
    {ErrorCode::kEmpty, 400, "Empty", ""},
    {ErrorCode::kPayloadTooLarge, 413, "Validation", ""},
    {ErrorCode::kHeaderTooLarge, 431, "Validation", ""},
    {ErrorCode::kTimeout, 408, "Validation", ""},
    // nginx's status for it: nobody is there to read the answer, but the log is.
    {ErrorCode::kCancelled, 499, "Validation", ""},
    {ErrorCode::kNotFound, 404, "Validation", ""},
    {ErrorCode::kMethodNotAllowed, 405, "Validation", ""},
    {ErrorCode::kUnsupported, 424, "Backend", ""},
    {ErrorCode::kOverloaded, 429, "Overloaded", "1"},
    {ErrorCode::kUnavailable, 503, "Unhealthy", "5"},
};
// Everything else is a failure of this program, not of the request.
constexpr ErrorRow kInternalError = {ErrorCode::kInternal, 500, "Backend", ""};

const ErrorRow& RowOf(ErrorCode code) {
  const auto* row =
      std::find_if(std::begin(kErrors), std::end(kErrors),
                   [code](const ErrorRow& candidate) { return candidate.code == code; });
  return row == std::end(kErrors) ? kInternalError : *row;
}

}  // namespace

Response ErrorResponse(const Error& error, std::string_view request_id) {
  const ErrorRow& row = RowOf(error.code);
  std::string message = error.message;
  if (&row == &kInternalError) {
    spdlog::error("request {}: {}", request_id, error.message);
    message = "internal error; the server's log tells more under request id ";
    message += request_id;
  }
  Response response;
  response.status = row.status;
  if (!row.retry_after_s.empty()) {
    response.headers.push_back({"Retry-After", std::string(row.retry_after_s)});
  }
  std::string& body = response.body;
  body += R"({"error":)";
  AppendJsonString(message, body);
  body += R"(,"error_type":)";
  AppendJsonString(row.type, body);
  body += R"(,"detail":)";
  AppendJsonString(message, body);
  body += '}';
  return response;
}

}  // namespace embedding::api
