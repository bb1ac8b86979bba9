// What is read of a connection: whatever comes, in whatever pieces it comes, the same requests are
// read of it, no body is longer than was said, and all memory goes back to the budget. Whatever
// proxies and tracers tell, the client's address is one, and a trace has a whole id or none.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "http/client_address.h"
#include "http/read_requests.h"
#include "http/trace_context.h"

namespace embedding::http {
namespace {

constexpr size_t kPayloadLimit = 1000;

// The requests that are taken, one a line. Where nothing more is, a refusal in one reading may be
// the wait for more in another: Beast looks for the end of a quoted chunk extension beyond its
// line.
std::string Read(std::string_view sent, size_t piece) {
  ByteBudget budget(1 << 20);
  std::string outcome;
  TrustedProxies proxies;
  for (const char* range : {"127.0.0.1", "10.0.0.0/8", "fd00::/8"}) FUZZ_CHECK(proxies.Add(range));
  const std::optional<Refusal> refusal =
      ReadRequests(sent, piece, kPayloadLimit, budget, [&](const Request& request, bool keep) {
        FUZZ_CHECK(request.target.starts_with('/') || request.target == "*");
        FUZZ_CHECK(request.body.size() <= kPayloadLimit);
        const std::string client =
            ClientAddress("127.0.0.1", request.forwarded_for, request.forwarded, proxies);
        FUZZ_CHECK(Address::Parse(client));
        const std::string_view trace = TraceIdOf(request.traceparent);
        FUZZ_CHECK(trace.empty() || trace.size() == 32);
        outcome += client + ' ' + std::string(trace) + ' ' + request.method + ' ' + request.target +
                   ' ' + request.body + ' ' + request.api_key + (keep ? " keep\n" : " close\n");
      });
  if (refusal) FUZZ_CHECK(!refusal->message.empty());
  FUZZ_CHECK(budget.taken() == 0);
  return outcome;
}

}  // namespace
}  // namespace embedding::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using embedding::http::Read;
  const std::string_view sent(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(sent, std::max<size_t>(size, 1));
  FUZZ_CHECK(Read(sent, 1) == whole);
  FUZZ_CHECK(Read(sent, 13) == whole);
  return 0;
}
