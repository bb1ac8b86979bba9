// CountAnswers: the middleware that tells what was answered, and how long it took.
#pragma once

#include <chrono>
#include <functional>
#include <string_view>

#include "http/handler.h"
#include "http/message.h"

namespace embedding::http {

// An answer to a request for `route`, so long after its header was there. Called on any thread,
// before the answer is sent.
using Count = std::function<void(std::string_view route, const Response& response,
                                 std::chrono::duration<double> duration)>;

// Counts every answer that handlers make, and has it carry the client whose request it answers.
// `route_of` names what a request is counted under, of as many names as there are routes, whatever
// clients send; the names must outlive the requests.
Middleware CountAnswers(std::function<std::string_view(const Request&)> route_of, Count count);

}  // namespace embedding::http
