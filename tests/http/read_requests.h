// What a RequestReader makes of bytes that come in pieces, one request after the other.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "http/request_reader.h"

namespace embedding::http {

// Calls take(request, keep_alive) for each request in `sent`, of which `piece` bytes come at a
// time. Gives the refusal that ended it, if one did.
inline std::optional<Refusal> ReadRequests(std::string_view sent, size_t piece,
                                           size_t payload_limit, ByteBudget& budget,
                                           const std::function<void(const Request&, bool)>& take) {
  boost::beast::flat_buffer buffer;
  auto reader = std::make_unique<RequestReader>(payload_limit, budget);
  bool in_body = false;
  const auto next = [&] {
    if (!in_body) {
      const Progress header = reader->TakeHeader(buffer);
      if (header != Progress::kDone) return header;
      in_body = true;
    }
    const Progress body = reader->TakeBody(buffer);
    if (body != Progress::kDone) return body;
    Request request = reader->TakeHead();
    reader->TakeBodyInto(request);
    take(request, reader->keep_alive());
    reader = std::make_unique<RequestReader>(payload_limit, budget);
    in_body = false;
    return Progress::kDone;
  };
  for (size_t begin = 0; begin < sent.size(); begin += piece) {
    const std::string_view part = sent.substr(begin, piece);
    asio::buffer_copy(buffer.prepare(part.size()), asio::buffer(part.data(), part.size()));
    buffer.commit(part.size());
    Progress progress = next();
    while (progress == Progress::kDone && SkipEmptyLines(buffer)) progress = next();
    if (progress == Progress::kRefused) return reader->refusal();
  }
  return std::nullopt;
}

}  // namespace embedding::http
