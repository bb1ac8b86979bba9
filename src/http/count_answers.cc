#include "http/count_answers.h"

#include <utility>

namespace embedding::http {

Middleware CountAnswers(std::function<std::string_view(const Request&)> route_of, Count count) {
  return [route_of = std::move(route_of), count = std::move(count)](Handler next) -> Handler {
    return [route_of, count, next = std::move(next)](Request request, Responder responder) {
      auto counted = [&count, route = route_of(request), client = request.client,
                      received = std::chrono::steady_clock::now()](Response& response) {
        response.client = client;
        count(route, response, std::chrono::steady_clock::now() - received);
      };
      next(std::move(request), std::move(responder).Changing(std::move(counted)));
    };
  };
}

}  // namespace embedding::http
