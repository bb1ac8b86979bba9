// The access log: a line for each request that has been answered.
//
//   text   POST /embed 200 key=alice address=192.0.2.1 texts=2 cached=0 tokens=8 in=31 out=8190
//          tokenization_ms=0.041 queue_ms=0.020 inference_ms=3.157 total_ms=3.520
//          trace=4bf92f3577b34da6a3ce929d0e0e4736 id=7f...   (in one line; "-" for what there is
//          not)
//   json   the same as members of an object, without its braces
//
// The path is the route's, "-" for any other; no header, query, text or key is ever in it. Lines go
// to the sinks of the logger "access", on a thread of their own: a log that is written slowly, or
// whose reader has stopped reading, does not hold up a request. Lines beyond kMaxWaiting that wait
// to be written push out the oldest.
//
// Thread-safety: Write from any thread; lost too.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace spdlog {
class logger;
namespace details {
class thread_pool;
}
}  // namespace spdlog

namespace embedding::api {

enum class LogFormat { kText, kJson };

// What is logged of a request to `route`, "" for none.
std::string AccessLine(LogFormat format, const http::Answered& answered, std::string_view route);

class AccessLog {
 public:
  static constexpr size_t kMaxWaiting = 8192;

  // The logger is spdlog's of that name, or where there is none the default one.
  explicit AccessLog(LogFormat format);
  // Writes what waits.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // A line for which there is no memory is lost.
  void Write(const http::Answered& answered, std::string_view route) noexcept;

  // Lines that were pushed out before they were written.
  size_t lost() const;

 private:
  const LogFormat format_;
  std::shared_ptr<spdlog::details::thread_pool> writer_;
  std::shared_ptr<spdlog::logger> logger_;
};

}  // namespace embedding::api
