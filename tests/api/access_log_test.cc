#include "api/access_log.h"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace embedding::api {
namespace {

using std::chrono::microseconds;

http::Answered Request() {
  return {.method = "POST",
          .target = "/embed?text=s3cret",
          .request_id = "an \"id\" of the client's",
          .trace_id = "4bf92f3577b34da6a3ce929d0e0e4736",
          .client = {.address = "192.0.2.1", .key_name = "alice", .id = "key:alice"},
          .status = 200,
          .bytes_in = 31,
          .bytes_out = 8190,
          .cost = {.texts = 3,
                   .cached_texts = 1,
                   .tokens = 42,
                   .tokenization = microseconds(41),
                   .queue = microseconds(20),
                   .inference = microseconds(3157)},
          .total = microseconds(3520)};
}

TEST(AccessLogTest, ALineForPeople) {
  EXPECT_EQ(AccessLine(LogFormat::kText, Request(), "/embed"),
            "POST /embed 200 key=alice address=192.0.2.1 texts=3 cached=1 tokens=42 in=31 out=8190 "
            "tokenization_ms=0.041 queue_ms=0.020 inference_ms=3.157 total_ms=3.520 "
            "trace=4bf92f3577b34da6a3ce929d0e0e4736 id=an \"id\" of the client's");
  http::Answered bare;
  bare.status = 400;
  bare.method = "\x1b[2J" + std::string(1000, 'A');
  const std::string line = AccessLine(LogFormat::kText, bare, "");
  EXPECT_NE(line.find(" - 400 key=- address=- texts=0 "), std::string::npos) << line;
  EXPECT_EQ(line.find('\x1b'), std::string::npos);
  EXPECT_LT(line.size(), 300U);
}

TEST(AccessLogTest, MembersOfAJsonObject) {
  const auto json =
      nlohmann::json::parse('{' + AccessLine(LogFormat::kJson, Request(), "/embed") + '}');
  EXPECT_EQ(json, (nlohmann::json{{"method", "POST"},
                                  {"route", "/embed"},
                                  {"status", 200},
                                  {"key", "alice"},
                                  {"address", "192.0.2.1"},
                                  {"texts", 3},
                                  {"cached", 1},
                                  {"tokens", 42},
                                  {"bytes_in", 31},
                                  {"bytes_out", 8190},
                                  {"tokenization_ms", 0.041},
                                  {"queue_ms", 0.02},
                                  {"inference_ms", 3.157},
                                  {"total_ms", 3.52},
                                  {"trace_id", "4bf92f3577b34da6a3ce929d0e0e4736"},
                                  {"request_id", "an \"id\" of the client's"}}));
  const auto bare = nlohmann::json::parse('{' + AccessLine(LogFormat::kJson, {}, "") + '}');
  EXPECT_TRUE(bare.at("route").is_null());
  EXPECT_TRUE(bare.at("key").is_null());
}

// The logger "access", for as long as the test runs.
class AccessLoggerTest : public testing::Test {
 protected:
  void Use(spdlog::sink_ptr sink) {
    spdlog::register_logger(std::make_shared<spdlog::logger>("access", std::move(sink)));
  }
  ~AccessLoggerTest() override { spdlog::drop("access"); }
};

TEST_F(AccessLoggerTest, GetsALineForEachRequest) {
  std::ostringstream out;
  auto sink = std::make_shared<spdlog::sinks::ostream_sink_mt>(out);
  sink->set_pattern("%n %v");
  Use(sink);
  {
    AccessLog log(LogFormat::kText);
    log.Write(Request(), "/embed");
    log.Write(Request(), "/embed");
    EXPECT_EQ(log.lost(), 0U);
  }
  const std::string line = "access " + AccessLine(LogFormat::kText, Request(), "/embed") + "\n";
  EXPECT_EQ(out.str(), line + line);
}

// A sink whose reader does not read until it is told to.
class StuckSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  void Release() {
    const std::lock_guard lock(gate_);
    open_ = true;
    opened_.notify_all();
  }

 private:
  void sink_it_(const spdlog::details::log_msg& /*message*/) override {
    std::unique_lock lock(gate_);
    opened_.wait(lock, [this] { return open_; });
  }
  void flush_() override {}

  std::mutex gate_;
  std::condition_variable opened_;
  bool open_ = false;
};

TEST_F(AccessLoggerTest, ALogThatNobodyReadsHoldsUpNoRequest) {
  auto sink = std::make_shared<StuckSink>();
  Use(sink);
  AccessLog log(LogFormat::kText);
  // As many as wait, and as many as the writer may have in hand, and one.
  for (size_t i = 0; i <= 2 * AccessLog::kMaxWaiting; ++i) log.Write(Request(), "/embed");
  EXPECT_GT(log.lost(), 0U);
  sink->Release();
}

}  // namespace
}  // namespace embedding::api
