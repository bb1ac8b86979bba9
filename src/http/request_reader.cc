#include "http/request_reader.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "base/ascii.h"
#include "http/framing.h"

namespace embedding::http {
namespace {

namespace beast_http = boost::beast::http;

constexpr std::string_view kEmptyLine = "\r\n";
constexpr std::string_view kEndOfHeader = "\r\n\r\n";

std::string_view View(boost::beast::string_view text) { return {text.data(), text.size()}; }

std::string_view View(const boost::beast::flat_buffer& buffer) {
  const auto data = buffer.data();
  return {static_cast<const char*>(data.data()), data.size()};
}

// A list that may come in several fields (RFC 9110, 5.3).
std::string Joined(const RequestHeader& header, std::string_view name) {
  std::string joined;
  const auto [first, last] = header.equal_range({name.data(), name.size()});
  for (auto field = first; field != last; ++field) {
    if (field != first) joined += ',';
    joined += View(field->value());
  }
  return joined;
}

Refusal HeaderTooLarge() {
  return {StatusCode::kHeaderTooLarge,
          "the header is larger than " + std::to_string(kMaxHeaderBytes) + " bytes"};
}

}  // namespace

bool SkipEmptyLines(boost::beast::flat_buffer& buffer) {
  while (View(buffer).starts_with(kEmptyLine)) buffer.consume(kEmptyLine.size());
  return !View(buffer).empty() && View(buffer) != "\r";
}

RequestReader::RequestReader(size_t payload_limit, ByteBudget& budget)
    : payload_limit_(payload_limit), budget_(budget) {
  // The header's size is checked here, to the byte, however it comes; the parser's own limit is
  // not.
  parser_.header_limit(2 * kMaxHeaderBytes);
  parser_.body_limit(payload_limit);
}

Progress RequestReader::TakeHeader(boost::beast::flat_buffer& buffer) {
  if (searched_ == 0 && !SkipEmptyLines(buffer)) return Progress::kMore;
  const std::string_view received = View(buffer);
  const size_t from = searched_ - std::min(searched_, kEndOfHeader.size() - 1);
  const size_t end = received.find(kEndOfHeader, from);
  const bool complete = end != std::string_view::npos;
  searched_ = received.size();
  const size_t size = complete ? end + kEndOfHeader.size() : received.size();
  if (size > kMaxHeaderBytes) return Refuse(HeaderTooLarge());
  if (!complete) {
    // Who speaks TLS, say, waits for an answer: it is told at once.
    const char first = received.front();
    if (first <= ' ' || first > '~') return Refuse(Malformed("it does not begin with a method"));
    return Progress::kMore;
  }
  boost::system::error_code error;
  buffer.consume(parser_.put(asio::buffer(received.data(), size), error));
  const auto& header = parser_.get();
  request_.target = PathAndQuery(View(header.target()));
  request_.request_id = View(header["x-request-id"]);
  request_.origin = View(header[beast_http::field::origin]);
  request_.method = View(header.method_string());
  request_.traceparent = Joined(header, "traceparent");
  if (error && error != beast_http::error::need_more) return Refuse(RefusalOf(error));
  if (std::optional<Refusal> refusal = CheckFraming(header)) return Refuse(*std::move(refusal));
  version_ = header.version();
  keep_alive_ = parser_.keep_alive();
  has_body_ = !parser_.is_done();
  expects_continue_ = has_body_ && version_ >= 11 &&
                      EqualsIgnoringCase(View(header[beast_http::field::expect]), "100-continue");
  request_.accept = Joined(header, "Accept");
  request_.accept_encoding = Joined(header, "Accept-Encoding");
  request_.if_none_match = Joined(header, "If-None-Match");
  request_.authorization = View(header[beast_http::field::authorization]);
  request_.api_key = View(header["X-API-Key"]);
  request_.requested_method = View(header[beast_http::field::access_control_request_method]);
  request_.requested_headers = View(header[beast_http::field::access_control_request_headers]);
  request_.forwarded_for = Joined(header, "X-Forwarded-For");
  request_.forwarded = Joined(header, "Forwarded");
  parser_.get().body().charge = ByteCharge(budget_);
  return Progress::kDone;
}

Progress RequestReader::TakeBody(boost::beast::flat_buffer& buffer) {
  boost::system::error_code error;
  // Beast's parser must not be asked about the end of an empty chunked body before all of it is
  // there, "0" and two ends of lines: as much is still to come of any other too.
  constexpr size_t kLeastOfChunked = 5;
  const size_t least = parser_.chunked() ? kLeastOfChunked : 1;
  while (!parser_.is_done() && buffer.size() >= least) {
    const size_t taken = parser_.put(buffer.data(), error);
    buffer.consume(taken);
    if (error == beast_http::error::need_more) break;
    if (error) return Refuse(RefusalOf(error));
  }
  if (parser_.is_done()) return Progress::kDone;
  // What the parser leaves is part of a chunk's first line, or of the trailer.
  if (buffer.size() > kMaxHeaderBytes) return Refuse(HeaderTooLarge());
  return Progress::kMore;
}

void RequestReader::TakeBodyInto(Request& request) {
  auto& body = parser_.get().body();
  request.body = std::move(body.bytes);
  request.charge = std::move(body.charge);
}

Progress RequestReader::Refuse(Refusal refusal) {
  refusal_ = std::move(refusal);
  return Progress::kRefused;
}

Refusal RequestReader::RefusalOf(const boost::system::error_code& error) const {
  if (error == beast_http::error::header_limit) return HeaderTooLarge();
  if (error == beast_http::error::body_limit) {
    return {StatusCode::kPayloadTooLarge,
            "the body is larger than the limit of " + std::to_string(payload_limit_) + " bytes"};
  }
  if (parser_.get().body().out_of_budget) {
    return {StatusCode::kServiceUnavailable,
            "the bodies of the requests in hand have reached the limit of " +
                std::to_string(budget_.limit()) + " bytes together, try again"};
  }
  return Malformed(error.message());
}

}  // namespace embedding::http
