#include "http/answer.h"

#include <fmt/chrono.h>

#include <ctime>
#include <utility>

namespace embedding::http {
namespace {

namespace beast_http = boost::beast::http;

Answer::Message MessageOf(Response response, const Exchange& exchange) {
  Answer::Message message(static_cast<beast_http::status>(response.status), exchange.version);
  message.set(beast_http::field::date,
              fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(std::time(nullptr))));
  // RFC 9110, 8.6: neither in an answer that has no content.
  const bool has_content = message.result() != beast_http::status::no_content &&
                           message.result() != beast_http::status::not_modified;
  if (has_content) message.set(beast_http::field::content_type, response.content_type);
  message.set("x-request-id", exchange.record.request_id);
  for (const Header& header : response.headers) message.set(header.name, header.value);
  message.keep_alive(exchange.keep_alive);
  if (has_content) message.content_length(response.body.size());
  if (!exchange.head) message.body() = std::move(response.body);
  return message;
}

}  // namespace

Answer::Answer(Response response, const Exchange& exchange)
    : charge_(std::move(response.charge)),
      message_(MessageOf(std::move(response), exchange)),
      serializer_(message_) {}

}  // namespace embedding::http
