// The access log: a line for each request that has been answered.
//
//   text   POST /embed 200 key=alice address=192.0.2.1 texts=2 cached=0 tokens=8 in=31 out=8190
//          tokenization_ms=0.041 queue_ms=0.020 inference_ms=3.157 total_ms=3.520
//          trace=4bf92f3577b34da6a3ce929d0e0e4736 id=7f...   (in one line; "-" for what there is
//          not)
//   json   the same as members of an object, without its braces
//
// The path is the route's, "-" for any other; no header, query, text or key is ever in it.
//
// Lines are written by a thread of their own: a log that is written slowly, or whose reader has
// stopped reading, does not hold up a request. That thread is woken for the first line after a
// while, and then looks for more every kGather: waking it took 8 microseconds where a line took
// one.
//
// Thread-safety: all of it.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "http/message.h"

namespace embedding::api {

enum class LogFormat { kText, kJson };

// What is logged of a request to `route`, "" for none.
std::string AccessLine(LogFormat format, const http::Answered& answered, std::string_view route);

class AccessLog {
 public:
  static constexpr size_t kMaxWaiting = 8192;  // lines
  static constexpr std::chrono::milliseconds kGather{20};

  // Lines go to the logger "access" that spdlog knows, or where it knows none to the default one.
  explicit AccessLog(LogFormat format);
  // Writes what waits.
  ~AccessLog();
  AccessLog(const AccessLog&) = delete;
  AccessLog& operator=(const AccessLog&) = delete;

  // A line for which there is no memory is lost, as are those beyond kMaxWaiting.
  void Write(const http::Answered& answered, std::string_view route) noexcept EXCLUDES(mutex_);

  size_t lost() const { return lost_; }  // lines

 private:
  struct Line {
    std::chrono::system_clock::time_point time;
    std::string text;
  };

  void Loop() EXCLUDES(mutex_);
  // Waits for lines; false when there are none and none will come.
  bool Take(std::vector<Line>& lines) EXCLUDES(mutex_);

  const LogFormat format_;
  std::atomic<size_t> lost_ = 0;
  Mutex mutex_;
  CondVar changed_;
  std::vector<Line> waiting_ GUARDED_BY(mutex_);
  bool asleep_ GUARDED_BY(mutex_) = false;  // the writer, until it is told of a line
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread writer_;  // last: it uses all of the above
};

}  // namespace embedding::api
