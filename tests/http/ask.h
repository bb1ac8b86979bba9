// Asks a handler on the test's thread.
#pragma once

#include <string>
#include <utility>

#include "http/handler.h"

namespace embedding::http {

inline const Handler kFine = [](Request, Responder responder) {
  responder.Answer({.body = "fine"});
};

// The answer, or one of status 0 where none came before the handler returned.
inline Response Ask(const Handler& handler, Request request) {
  Response answer{.status = 0};
  handler(std::move(request), [&](Response response) { answer = std::move(response); });
  return answer;
}

inline std::string HeaderOf(const Response& response, const std::string& name) {
  for (const Header& header : response.headers) {
    if (header.name == name) return header.value;
  }
  return "";
}

}  // namespace embedding::http
