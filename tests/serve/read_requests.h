// What a RequestReader makes of bytes that come in pieces, one request after the other.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "serve/request_reader.h"

namespace embedding::serve {

// Calls take(request, keep_alive) for each request in `sent`, of which `piece` bytes come at a
// time. Gives the error that ended it, if one did.
inline std::optional<Error> ReadRequests(
    std::string_view sent, size_t piece, size_t payload_limit, ByteBudget& budget,
    const std::function<void(const api::Request&, bool)>& take) {
  boost::beast::flat_buffer buffer;
  auto reader = std::make_unique<RequestReader>(payload_limit, budget);
  bool in_body = false;
  const auto next = [&]() -> Result<bool> {
    if (!in_body) {
      ASSIGN_OR_RETURN(in_body, reader->TakeHeader(buffer));
      if (!in_body) return false;
    }
    ASSIGN_OR_RETURN(const bool complete, reader->TakeBody(buffer));
    if (!complete) return false;
    const bool keep_alive = reader->keep_alive();
    take(reader->TakeRequest(), keep_alive);
    reader = std::make_unique<RequestReader>(payload_limit, budget);
    in_body = false;
    return true;
  };
  for (size_t begin = 0; begin < sent.size(); begin += piece) {
    const std::string_view part = sent.substr(begin, piece);
    asio::buffer_copy(buffer.prepare(part.size()), asio::buffer(part.data(), part.size()));
    buffer.commit(part.size());
    Result<bool> complete = next();
    while (complete.ok() && *complete && SkipEmptyLines(buffer)) complete = next();
    if (!complete.ok()) return std::move(complete).error();
  }
  return std::nullopt;
}

}  // namespace embedding::serve
