// RFC 9112's framing rules, request by request, in one piece and byte by byte.
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/read_requests.h"
#include "http/request_reader.h"

namespace embedding::http {
namespace {

constexpr size_t kPayloadLimit = 100'000;

// What became of what was sent: the requests, and the error after them, if there is one.
struct Outcome {
  std::vector<std::string> requests;  // "METHOD target [body]"
  std::optional<StatusCode> refused;
  bool keep_alive = true;  // of the last request

  bool operator==(const Outcome&) const = default;
};

void PrintTo(const Outcome& outcome, std::ostream* out) {
  for (const std::string& request : outcome.requests) *out << '{' << request << "} ";
  if (outcome.refused) *out << "refused " << static_cast<int>(*outcome.refused);
}

// Feeds `sent` in pieces of `piece` bytes to one reader after the other.
Outcome Read(std::string_view sent, size_t piece) {
  ByteBudget budget(1 << 20);
  Outcome outcome;
  const std::optional<Refusal> refusal =
      ReadRequests(sent, piece, kPayloadLimit, budget, [&](const Request& request, bool keep) {
        outcome.keep_alive = keep;
        outcome.requests.push_back(request.method + ' ' + request.target +
                                   (request.body.empty() ? "" : ' ' + request.body));
      });
  if (refusal) {
    outcome.refused = refusal->status;
    EXPECT_FALSE(refusal->message.empty());
  }
  return outcome;
}

Outcome ReadAnyWay(std::string_view sent) {
  const Outcome whole = Read(sent, sent.size());
  for (const size_t piece : {size_t{1}, size_t{7}, size_t{4096}}) {
    EXPECT_EQ(Read(sent, piece), whole) << "in pieces of " << piece << ":\n" << sent.substr(0, 300);
  }
  return whole;
}

constexpr StatusCode kMalformed = StatusCode::kBadRequest;
constexpr StatusCode kNotImplemented = StatusCode::kNotImplemented;
constexpr StatusCode kUnsupportedMediaType = StatusCode::kUnsupportedMediaType;
constexpr StatusCode kHeaderTooLarge = StatusCode::kHeaderTooLarge;
constexpr StatusCode kPayloadTooLarge = StatusCode::kPayloadTooLarge;

struct Case {
  std::string_view sent;
  std::vector<std::string> requests;
  std::optional<StatusCode> refused = std::nullopt;
};

void Check(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    const Outcome outcome = ReadAnyWay(c.sent);
    EXPECT_EQ(outcome.requests, c.requests) << c.sent;
    EXPECT_EQ(outcome.refused, c.refused) << c.sent;
  }
}

// A body that a server before this one takes to end elsewhere is a second request, of the
// attacker's making, in somebody else's name.
TEST(FramingTest, NoBodyIsTakenForARequest) {
  const std::string smuggled = "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string chunked = "5\r\nhello\r\n0\r\n\r\n";
  const auto post = [&](const std::string& headers, const std::string& body) {
    return "POST /a HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n" + body + smuggled;
  };
  const std::vector<std::pair<std::string, StatusCode>> refused = {
      {"Transfer-Encoding: identity\r\n", kMalformed},
      {"Transfer-Encoding: identity\r\nContent-Length: 5\r\n", kMalformed},
      {"Content-Length: 5\r\nTransfer-Encoding: identity\r\n", kMalformed},
      {"Transfer-Encoding: gzip\r\n", kMalformed},
      {"Transfer-Encoding: xchunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked-ish\r\n", kMalformed},
      {"Transfer-Encoding:\r\n", kMalformed},
      {"Transfer-Encoding: ,\r\n", kMalformed},
      {"Transfer-Encoding: \"chunked\"\r\n", kMalformed},
      {"Transfer-Encoding: chunked;q=1\r\n", kMalformed},
      {"Transfer-Encoding: chunked, identity\r\n", kMalformed},
      {"Transfer-Encoding: chunked, gzip\r\n", kMalformed},
      {"Transfer-Encoding: chunked, chunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", kMalformed},
      {"Transfer-Encoding: identity\r\nTransfer-Encoding: identity\r\n", kMalformed},
      {"Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n", kNotImplemented},
      {"Transfer-Encoding: gzip, chunked\r\n", kNotImplemented},
      {"Transfer-Encoding: identity, chunked\r\n", kNotImplemented},
      {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", kNotImplemented},
      {"Transfer-Encoding: \x0b"
       "chunked\r\n",
       kMalformed},
      {"Transfer-Encoding : chunked\r\n", kMalformed},
      {"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", kMalformed},
      {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", kMalformed},
      {"Content-Length: 5\r\nContent-Length: 6\r\n", kMalformed},
      {"Content-Length: 5, 6\r\n", kMalformed},
      {"Content-Length: +5\r\n", kMalformed},
      {"Content-Length: -5\r\n", kMalformed},
      {"Content-Length: 0x5\r\n", kMalformed},
      {"Content-Length: 5 5\r\n", kMalformed},
      {"Content-Length: 5.0\r\n", kMalformed},
      {"Content-Length:\r\n", kMalformed},
      {"Content-Length: 18446744073709551621\r\n", kMalformed},  // 2^64 + 5
      {"Content-Length : 5\r\n", kMalformed},
      {"Content-Length: 100001\r\n", kPayloadTooLarge},
      {"Content-Encoding: gzip\r\nContent-Length: 5\r\n", kUnsupportedMediaType},
      {"Content-Encoding: identity\r\nContent-Encoding: br\r\nContent-Length: 5\r\n",
       kUnsupportedMediaType},
  };
  for (const auto& [headers, error] : refused) {
    for (const std::string& body : {std::string("hello"), chunked}) {
      const std::string sent = post(headers, body);
      Check({{sent, {}, error}});
    }
  }
  const std::vector<std::pair<std::string, std::string>> accepted = {
      {"Transfer-Encoding: chunked\r\n", chunked},
      {"transfer-encoding:\tCHUNKED \r\n", chunked},
      {"Transfer-Encoding: chunked\r\n", "1;a=b\r\nh\r\n04\r\nello\r\n000\r\nTrailer: x\r\n\r\n"},
      {"Content-Length: 5\r\n", "hello"},
      {"Content-Length: 5\r\nContent-Length: 5\r\n", "hello"},
      {"Content-Length: 005\r\n", "hello"},
      {"Content-Encoding: identity\r\nContent-Length: 5\r\n", "hello"},
      {"Content-Length: 5\r\nExpect: 100-continue\r\n", "hello"},
  };
  for (const auto& [headers, body] : accepted) {
    const std::string sent = post(headers, body);
    Check({{sent, {"POST /a hello", "GET /smuggled"}}});
  }
  const std::string empty = post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n");
  Check({{empty, {"POST /a", "GET /smuggled"}}});
  // Neither: no body.
  Check({{post("", ""), {"POST /a", "GET /smuggled"}}});
}

TEST(FramingTest, Chunks) {
  const auto with = [](const std::string& chunks) {
    return "POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks;
  };
  for (const char* bad :
       {"xyz\r\n", "\r\n0\r\n", " 5\r\nhello\r\n0\r\n\r\n", "+5\r\nhello\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n\r\n\r\n", "5\r\nhelloX0\r\n\r\n",
        "5\r\nhello0\r\n\r\n", "fffffffffffffffff\r\nhello", "5;\x01\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nno colon\r\n\r\n",
        "5\r\nhello\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5\r\nhello\r\n0\r\nContent-Length: 5\r\n\r\n"}) {
    const std::string sent = with(bad);
    Check({{sent, {}, kMalformed}});
  }
  const std::string too_large = with("186a1\r\n");  // 100,001
  Check({{too_large, {}, kPayloadTooLarge}});
  // A first line of a chunk, or a trailer, that does not end.
  for (const std::string& endless :
       {"5;" + std::string(40'000, 'a'), "5\r\nhello\r\n0\r\nX: " + std::string(40'000, 'a')}) {
    const std::string sent = with(endless);
    EXPECT_EQ(Read(sent, 4096).refused, kHeaderTooLarge);
    EXPECT_EQ(Read(sent, 1).refused, kHeaderTooLarge);
  }
}

TEST(FramingTest, Host) {
  const auto get = [](const std::string& headers) {
    return "GET /a HTTP/1.1\r\n" + headers + "\r\n";
  };
  for (const char* bad :
       {"", "Host:\r\n", "Host: \r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n",
        "Host: a b\r\n", "Host: a,b\r\n", "Host: a/b\r\n", "Host: u@a\r\n", "Host: a:b\r\n",
        "Host: a:80:80\r\n", "Host: :80\r\n", "Host: [::1\r\n", "Host: []\r\n", "Host: ::1\r\n",
        "Host: caf\xC3\xA9\r\n", "Host: http://a\r\n"}) {
    const std::string sent = get(bad);
    Check({{sent, {}, kMalformed}});
  }
  for (const char* good :
       {"Host: a\r\n", "Host: a.b-c_d:8001\r\n", "Host: 127.0.0.1:8001\r\n", "Host: [::1]\r\n",
        "Host: [::1]:8001\r\n", "Host: [fe80::1%25eth0]\r\n", "Host: a:\r\n", "HOST:a\r\n"}) {
    const std::string sent = get(good);
    Check({{sent, {"GET /a"}}});
  }
}

TEST(FramingTest, Targets) {
  const auto send = [](const std::string& method, const std::string& target) {
    return method + ' ' + target + " HTTP/1.1\r\nHost: h\r\n\r\n";
  };
  const std::vector<std::pair<std::string, std::string>> accepted = {
      {"/", "/"},
      {"/a?b=c", "/a?b=c"},
      {"//a", "//a"},
      {"http://h/a?b", "/a?b"},
      {"HTTPS://h:1/a", "/a"},
      {"http://h", "/"},
      {"http://h?b", "/?b"},
      {"http://[::1]:80/a", "/a"},
  };
  for (const auto& [target, path] : accepted) {
    const std::string sent = send("GET", target);
    Check({{sent, {"GET " + path}}});
  }
  for (const char* bad : {"a", "h:80", "*", "http:///a", "http://", "Http://", "http:/a",
                          "ftp://h/a", "http://u@h/a", "?a"}) {
    const std::string sent = send("GET", bad);
    Check({{sent, {}, kMalformed}});
  }
  Check({{"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", {"OPTIONS *"}},
         {"CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n", {}, kNotImplemented}});
}

TEST(FramingTest, VersionsAndConnection) {
  Check({{"GET /a HTTP/1.0\r\n\r\n", {"GET /a"}},
         {"GET /a HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", {}, kMalformed},
         {"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", {}, kMalformed},
         {"POST /a HTTP/1.0\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\nhello",
          {},
          kMalformed},
         {"GET /a\r\n\r\n", {}, kMalformed},
         {"GET /a HTTP/2.0\r\nHost: h\r\n\r\n", {}, kMalformed},
         {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {}, kMalformed},
         {"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n", {}, kMalformed},
         {"GET /a b HTTP/1.1\r\nHost: h\r\n\r\n", {}, kMalformed},
         {"GET /a http/1.1\r\nHost: h\r\n\r\n", {}, kMalformed},
         {" GET /a HTTP/1.1\r\nHost: h\r\n\r\n", {}, kMalformed},
         {"GET /a HTTP/1.1\r\n Host: h\r\n\r\n", {}, kMalformed},
         {"\x16\x03\x01\x02", {}, kMalformed}});
  const auto keeps = [](std::string_view sent) { return ReadAnyWay(sent).keep_alive; };
  EXPECT_TRUE(keeps("GET /a HTTP/1.1\r\nHost: h\r\n\r\n"));
  EXPECT_FALSE(keeps("GET /a HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET /a HTTP/1.1\r\nHost: h\r\nConnection: x, Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET /a HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(FramingTest, EmptyLinesBeforeARequestAreSkipped) {
  const std::string get = "GET /a HTTP/1.1\r\nHost: h\r\n\r\n";
  const std::string sent = "\r\n" + get + "\r\n\r\n" + get + "\r\n";
  Check({{sent, {"GET /a", "GET /a"}}});
  Check({{"\n", {}, kMalformed}});
  boost::beast::flat_buffer buffer;
  asio::buffer_copy(buffer.prepare(3), asio::buffer("\r\n\r", 3));
  buffer.commit(3);
  EXPECT_FALSE(SkipEmptyLines(buffer));  // nobody has begun to ask
}

TEST(FramingTest, AHeaderMayBeOfItsLimitToTheByte) {
  const std::string head = "GET /a HTTP/1.1\r\nHost: h\r\nX: ";
  const size_t rest = kMaxHeaderBytes - head.size() - 4;
  for (const std::string before : {"", "\r\n"}) {  // which is no part of it
    const std::string fits = before + head + std::string(rest, 'x') + "\r\n\r\n";
    Check({{fits, {"GET /a"}}});
    const std::string too_large = before + head + std::string(rest + 1, 'x') + "\r\n\r\n";
    Check({{too_large, {}, kHeaderTooLarge}});
  }
  const std::string target = "GET /" + std::string(kMaxHeaderBytes, 'x');
  Check({{target, {}, kHeaderTooLarge}});
  const std::string many = [] {
    std::string header = "GET /a HTTP/1.1\r\nHost: h\r\n";
    while (header.size() <= kMaxHeaderBytes) header += "a: b\r\n";
    return header + "\r\n";
  }();
  Check({{many, {}, kHeaderTooLarge}});
}

TEST(FramingTest, BodiesTakeTheirMemoryFromTheBudgetAsTheyCome) {
  ByteBudget budget(20'000);
  boost::beast::flat_buffer buffer;
  const auto receive = [&](std::string_view bytes) {
    asio::buffer_copy(buffer.prepare(bytes.size()), asio::buffer(bytes.data(), bytes.size()));
    buffer.commit(bytes.size());
  };
  {
    RequestReader reader(kPayloadLimit, budget);
    receive("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n");
    ASSERT_EQ(reader.TakeHeader(buffer), Progress::kDone);
    ASSERT_EQ(reader.TakeBody(buffer), Progress::kMore);
    EXPECT_EQ(budget.taken(), 0U);  // promised, not sent
    receive(std::string(15'000, 'x'));
    ASSERT_EQ(reader.TakeBody(buffer), Progress::kMore);
    EXPECT_GE(budget.taken(), 15'000U);
    receive(std::string(15'000, 'x'));
    ASSERT_EQ(reader.TakeBody(buffer), Progress::kRefused);
    EXPECT_EQ(reader.refusal().status, StatusCode::kServiceUnavailable);
    EXPECT_NE(reader.refusal().message.find("20000"), std::string::npos);
  }
  EXPECT_EQ(budget.taken(), 0U);
  buffer.clear();
  std::optional<Request> request;
  {
    RequestReader reader(kPayloadLimit, budget);
    receive("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 15000\r\n\r\n" +
            std::string(15'000, 'x'));
    ASSERT_EQ(reader.TakeHeader(buffer), Progress::kDone);
    ASSERT_EQ(reader.TakeBody(buffer), Progress::kDone);
    request = reader.TakeHead();
    reader.TakeBodyInto(*request);
  }
  EXPECT_GE(budget.taken(), 15'000U);  // the request has it now
  request.reset();
  EXPECT_EQ(budget.taken(), 0U);
}

}  // namespace
}  // namespace embedding::http
