// HttpClient: what downloading from the hub needs of HTTP, over libcurl.
//
// It follows redirects itself, because two things are up to it: the token goes to the origin
// (scheme, host and port) that it was made for and nowhere else, whatever the libcurl's version;
// and no redirect leads from https to http.
//
// Thread-safety: one thread at a time; each thread may have its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/hub_settings.h"

namespace embedding {

struct HttpResponse {
  int status = 0;                              // 0: no answer came
  std::map<std::string, std::string> headers;  // names in lower case

  // Why there is no whole answer, empty if there is one.
  std::string problem;
  bool problem_may_pass = false;  // a connection that broke, a server that stalled

  // Takes a line of the head as it came: a status line forgets the headers of the answer before it
  // ("100 Continue"), a line without a colon is passed over.
  void AddHeadLine(std::string_view line);

  // The value of a header, empty if it is absent. `name` in lower case.
  std::string Header(const std::string& name) const;
  bool Ok() const { return problem.empty() && status >= 200 && status < 300; }
  // Whether the same request may well succeed in a while.
  bool IsTransient() const;
};

struct HttpRequest {
  enum class Method { kGet, kHead };

  // Takes the next bytes of the body of an answer that is Ok(); false stops the transfer.
  using BodySink = std::function<bool(const HttpResponse& head, std::string_view bytes)>;

  Method method = Method::kGet;
  std::string url;
  uint64_t range_begin = 0;  // asks for the bytes from here on, if not 0
  BodySink sink = nullptr;
  // An answer with this header is final, even if it is a redirect. Empty: none is.
  std::string stop_at_header = {};
};

class HttpClient {
 public:
  // Errors: kInternal, if libcurl cannot be initialised.
  static Result<HttpClient> Create(const HubSettings& settings);

  // Sends one request and follows its redirects. Everything that goes wrong is in the answer.
  HttpResponse Send(const HttpRequest& request);

  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

 private:
  struct Impl;
  explicit HttpClient(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Calls `attempt` until it gives an answer that is not transient, waiting ever longer in between,
// and gives up after a few in a row. Attempts that made `progress` grow beyond where it has been
// are not counted. Each new attempt is logged with the `url` and what was wrong.
HttpResponse WithRetries(const std::string& url, const std::function<HttpResponse()>& attempt,
                         const std::function<uint64_t()>& progress = nullptr);

// `text` for use as one segment of a URL's path, '/' included.
std::string UrlEscaped(std::string_view text);

}  // namespace embedding
