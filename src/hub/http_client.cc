#include "hub/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/ascii.h"
#include "base/quoted.h"
#include "hub/trusted_certificates.h"

namespace embedding {
namespace {

constexpr int kMaxRedirects = 10;
constexpr size_t kMaxHeaderBytes = size_t{64} << 10;
constexpr size_t kMaxErrorPageBytes = size_t{1} << 20;
constexpr long kConnectTimeoutS = 10;
constexpr long kReceiveBufferBytes = 256L << 10;
// Four attempts, 0.5 + 1 + 2 seconds of waiting: outlives a restarted proxy, and is not too long a
// wait for who is told that there is no network.
constexpr int kMaxFruitlessAttempts = 4;
constexpr std::chrono::milliseconds kFirstWait{500};

char LowerCase(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// "https://host:443" of a URL, or nothing if it is not an http or https URL.
struct Origin {
  std::string scheme, host, port;
  bool operator==(const Origin&) const = default;
};

std::optional<Origin> OriginOf(const std::string& url) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> parsed(curl_url(), &curl_url_cleanup);
  if (parsed == nullptr || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK) {
    return {};
  }
  const auto part = [&](CURLUPart which) {
    char* text = nullptr;
    std::string value;
    if (curl_url_get(parsed.get(), which, &text, CURLU_DEFAULT_PORT) == CURLUE_OK) value = text;
    curl_free(text);
    std::transform(value.begin(), value.end(), value.begin(), LowerCase);
    return value;
  };
  Origin origin{part(CURLUPART_SCHEME), part(CURLUPART_HOST), part(CURLUPART_PORT)};
  if (origin.scheme != "http" && origin.scheme != "https") return {};
  return origin;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// Failures of the connection, not of the request or of this machine.
bool MayPass(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
      return true;
    default:
      return false;
  }
}

// One request and its answer, as libcurl's callbacks see it.
struct Transfer {
  const HttpRequest* request;
  CURL* curl;
  HttpResponse response;
  size_t header_bytes = 0;
  size_t error_page_bytes = 0;
  const char* stopped = nullptr;  // why, if this side did it
};

size_t OnHeader(const char* data, size_t /*one*/, size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.stopped = "the server sends too many headers";
    return 0;
  }
  transfer.response.AddHeadLine({data, size});
  return size;
}

size_t OnBody(const char* data, size_t /*one*/, size_t size, void* user) {
  Transfer& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.response.status = static_cast<int>(status);
  if (!transfer.response.Ok()) {  // its text is nobody's, but a connection that is read can be kept
    transfer.error_page_bytes += size;
    if (transfer.error_page_bytes > kMaxErrorPageBytes) transfer.stopped = "an endless error page";
  } else if (transfer.request->sink && !transfer.request->sink(transfer.response, {data, size})) {
    transfer.stopped = "stopped by the receiver";
  }
  return transfer.stopped == nullptr ? size : 0;
}

}  // namespace

struct HttpClient::Impl {
  CURL* curl = nullptr;
  HubSettings settings;
  std::optional<Origin> token_origin;

  // One request to `url`, no redirect followed. *location is where the answer redirects to.
  HttpResponse SendOnce(const HttpRequest& request, const std::string& url, std::string* location);

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { curl_easy_cleanup(curl); }
};

HttpResponse HttpClient::Impl::SendOnce(const HttpRequest& request, const std::string& url,
                                        std::string* location) {
  Transfer transfer{&request, curl, {}};
  const long stall_timeout_s = request.method == HttpRequest::Method::kHead
                                   ? settings.etag_timeout_s
                                   : settings.stall_timeout_s;
  char message[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, message);
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.method == HttpRequest::Method::kHead ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  TrustTheSystem(curl);
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall_timeout_s);
  curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kReceiveBufferBytes);
  curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "embedding-service");
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);

  // Identity: a size and an ETag are those of the file itself.
  std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Accept-Encoding: identity"), &curl_slist_free_all);
  const auto add_header = [&](const std::string& line) {
    if (curl_slist* list = curl_slist_append(headers.get(), line.c_str()); list != nullptr) {
      (void)headers.release();
      headers.reset(list);
    }
  };
  if (request.range_begin > 0) add_header(fmt::format("Range: bytes={}-", request.range_begin));
  if (!settings.token.empty() && token_origin && OriginOf(url) == token_origin) {
    add_header("Authorization: Bearer " + settings.token);
  }
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());

  const CURLcode code = curl_easy_perform(curl);
  HttpResponse& response = transfer.response;
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  response.status = static_cast<int>(status);
  char* redirect = nullptr;
  curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &redirect);
  if (redirect != nullptr) *location = redirect;
  if (transfer.stopped != nullptr) {
    response.problem = transfer.stopped;
  } else if (code != CURLE_OK) {
    curl_off_t connected_us = 0;
    curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected_us);
    response.problem = message[0] != '\0' ? message : curl_easy_strerror(code);
    if (code == CURLE_OPERATION_TIMEDOUT && connected_us > 0)
      response.problem = fmt::format("the server sent nothing for {} s", stall_timeout_s);
    response.problem_may_pass = MayPass(code);
  }
  curl_easy_reset(curl);  // keeps the connections, and no pointer into this call
  return std::move(response);
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::Create(const HubSettings& settings) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto impl = std::make_unique<Impl>();
  impl->curl = initialised == CURLE_OK ? curl_easy_init() : nullptr;
  if (impl->curl == nullptr) return Error{ErrorCode::kInternal, "libcurl cannot start", {}};
  impl->settings = settings;
  impl->token_origin = OriginOf(settings.endpoint);
  return HttpClient(std::move(impl));
}

HttpResponse HttpClient::Send(const HttpRequest& request) {
  std::string url = request.url;
  for (int hop = 0; hop <= kMaxRedirects; ++hop) {
    std::string location;
    HttpResponse response = impl_->SendOnce(request, url, &location);
    const bool is_final =
        !request.stop_at_header.empty() && response.headers.contains(request.stop_at_header);
    if (!response.problem.empty() || !IsRedirect(response.status) || is_final) return response;

    const std::optional<Origin> from = OriginOf(url);
    const std::optional<Origin> to = OriginOf(location);
    if (!to || (from && from->scheme == "https" && to->scheme != "https")) {
      response.problem = "the server redirects to a place that is not safe to follow";
      return response;
    }
    url = std::move(location);
  }
  HttpResponse response;
  response.problem = "the server redirects in a circle";
  return response;
}

void HttpResponse::AddHeadLine(std::string_view line) {
  if (line.starts_with("HTTP/")) return headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(), LowerCase);
  std::string_view value = line.substr(colon + 1);
  const size_t begin = std::min(value.find_first_not_of(" \t\r\n"), value.size());
  value.remove_prefix(begin);
  value = value.substr(0, value.find_last_not_of(" \t\r\n") + 1);
  headers[std::move(name)] = value;
}

namespace {

// What is said of an attempt that has failed: what a server or libcurl says is cut to one line.
std::string ReasonOf(const HttpResponse& response) {
  return response.problem.empty() ? fmt::format("answered with status {}", response.status)
                                  : Printable(response.problem, 200);
}

}  // namespace

std::string HttpResponse::Header(const std::string& name) const {
  const auto header = headers.find(name);
  return header == headers.end() ? "" : header->second;
}

bool HttpResponse::IsTransient() const {
  if (!problem.empty()) return problem_may_pass;
  return status >= 500 || status == 429 || status == 408;
}

HttpResponse WithRetries(const std::string& url, const std::function<HttpResponse()>& attempt,
                         const std::function<uint64_t()>& progress) {
  auto wait = kFirstWait;
  uint64_t furthest = progress ? progress() : 0;
  for (int fruitless = 0;;) {
    HttpResponse response = attempt();
    if (!response.IsTransient()) return response;
    if (progress && progress() > furthest) {
      furthest = progress();
      fruitless = 0;
      wait = kFirstWait;
    }
    if (++fruitless == kMaxFruitlessAttempts) return response;
    spdlog::warn("{}: {}; trying again ({} of {})", url, ReasonOf(response), fruitless + 1,
                 kMaxFruitlessAttempts);
    std::this_thread::sleep_for(wait);
    wait *= 2;
  }
}

std::string UrlEscaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = IsAlphanumeric(c) || c == '-' || c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

}  // namespace embedding
