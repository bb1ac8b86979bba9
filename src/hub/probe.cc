#include "hub/probe.h"

#include <curl/curl.h>

#include <memory>
#include <string_view>

namespace embedding {
namespace {

constexpr size_t kMaxBody = 64 * 1024;
constexpr long kPatienceS = 5;

size_t Take(char* bytes, size_t size, size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  if (body.size() + size * count <= kMaxBody) body.append(bytes, size * count);
  return size * count;
}

}  // namespace

ProbeAnswer Probe(const std::string& url, const std::string& path) {
  ProbeAnswer answer;
  const std::unique_ptr<CURL, void (*)(CURL*)> curl(curl_easy_init(), curl_easy_cleanup);
  if (curl == nullptr) return {.status = 0, .body = "", .problem = "libcurl cannot be used"};
  constexpr std::string_view kUnix = "unix:";
  const bool is_unix = url.starts_with(kUnix);
  const std::string whole = (is_unix ? "http://localhost" : url) + path;
  curl_easy_setopt(curl.get(), CURLOPT_URL, whole.c_str());
  if (is_unix) curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, url.c_str() + kUnix.size());
  curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kPatienceS);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYPEER, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_SSL_VERIFYHOST, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, Take);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    answer.problem = curl_easy_strerror(code);
    return answer;
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

}  // namespace embedding
