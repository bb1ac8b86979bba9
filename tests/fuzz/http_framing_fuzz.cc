// What is read of a connection: whatever comes, in whatever pieces it comes, the same requests are
// read of it, no body is longer than was said, and all memory goes back to the budget.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/check.h"
#include "serve/request_reader.h"

namespace embedding::serve {
namespace {

constexpr size_t kPayloadLimit = 1000;

// The requests that are taken, one a line. Where nothing more is, an error in one reading may be
// the wait for more in another: Beast looks for the end of a quoted chunk extension beyond its
// line.
std::string Read(std::string_view sent, size_t piece) {
  ByteBudget budget(1 << 20);
  std::string outcome;
  {
    boost::beast::flat_buffer buffer;
    auto reader = std::make_unique<RequestReader>(kPayloadLimit, budget);
    bool in_body = false;
    const auto take = [&]() -> Result<bool> {
      if (!in_body) {
        ASSIGN_OR_RETURN(in_body, reader->TakeHeader(buffer));
        if (!in_body) return false;
        FUZZ_CHECK(reader->header().target.starts_with('/') || reader->header().target == "*");
      }
      ASSIGN_OR_RETURN(const bool complete, reader->TakeBody(buffer));
      if (!complete) return false;
      const bool keep_alive = reader->keep_alive();
      const api::Request request = reader->TakeRequest();
      FUZZ_CHECK(request.body.size() <= kPayloadLimit);
      outcome += request.method + ' ' + request.target + ' ' + request.body + ' ' +
                 request.api_key + (keep_alive ? " keep\n" : " close\n");
      reader = std::make_unique<RequestReader>(kPayloadLimit, budget);
      in_body = false;
      return true;
    };
    for (size_t begin = 0; begin < sent.size(); begin += piece) {
      const std::string_view part = sent.substr(begin, piece);
      asio::buffer_copy(buffer.prepare(part.size()), asio::buffer(part.data(), part.size()));
      buffer.commit(part.size());
      Result<bool> complete = take();
      while (complete.ok() && *complete && SkipEmptyLines(buffer)) complete = take();
      if (complete.ok()) continue;
      FUZZ_CHECK(!complete.error().message.empty());
      break;
    }
  }
  FUZZ_CHECK(budget.taken() == 0);
  return outcome;
}

}  // namespace
}  // namespace embedding::serve

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using embedding::serve::Read;
  const std::string_view sent(reinterpret_cast<const char*>(data), size);
  const std::string whole = Read(sent, std::max<size_t>(size, 1));
  FUZZ_CHECK(Read(sent, 1) == whole);
  FUZZ_CHECK(Read(sent, 13) == whole);
  return 0;
}
