// Errors as HTTP answers: the one place where an ErrorCode becomes a status and a body.
#pragma once

#include <string_view>

#include "api/http.h"
#include "base/result.h"

namespace embedding::api {

// {"error": ..., "error_type": ..., "detail": ...} with the code's status and headers. What is
// answered 500 is logged with the request's id, and the client gets the id instead of the message.
Response ErrorResponse(const Error& error, std::string_view request_id);

}  // namespace embedding::api
