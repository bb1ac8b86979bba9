#include "http/refusal.h"

namespace embedding::http {
namespace {

struct Advice {
  int status;
  const char* header;
  const char* value;
};

// A full queue drains within a second or so; loading and restarting take longer.
constexpr Advice kAdvice[] = {{401, "WWW-Authenticate", "Bearer"},
                              {415, "Accept-Encoding", "identity"},
                              {429, "Retry-After", "1"},
                              {503, "Retry-After", "5"}};

}  // namespace

Response PlainRefusal(const Refusal& refusal, const Request& /*request*/) {
  const int status = static_cast<int>(refusal.status);
  return {.status = status,
          .headers = AdviceOf(status),
          .body = refusal.message + '\n',
          .content_type = "text/plain; charset=utf-8"};
}

std::vector<Header> AdviceOf(int status) {
  for (const Advice& advice : kAdvice) {
    if (advice.status == status) return {{advice.header, advice.value}};
  }
  return {};
}

}  // namespace embedding::http
