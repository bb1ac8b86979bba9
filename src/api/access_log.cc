#include "api/access_log.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include "base/json_writer.h"
#include "base/quoted.h"

namespace embedding::api {
namespace {

constexpr char kLogger[] = "access";

// A method may be any word.
constexpr size_t kMethodBytes = 20;

double Ms(http::Cost::Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::string_view OrDash(std::string_view text) { return text.empty() ? "-" : text; }

std::string TextLine(const http::Answered& request, std::string_view route) {
  const http::Cost& cost = request.cost;
  return fmt::format(
      "{} {} {} key={} address={} texts={} cached={} tokens={} in={} out={} tokenization_ms={:.3f} "
      "queue_ms={:.3f} inference_ms={:.3f} total_ms={:.3f} trace={} id={}",
      OrDash(Printable(request.method, kMethodBytes)), OrDash(route), request.status,
      OrDash(request.client.key_name), OrDash(request.client.address), cost.texts,
      cost.cached_texts, cost.tokens, request.bytes_in, request.bytes_out, Ms(cost.tokenization),
      Ms(cost.queue), Ms(cost.inference), Ms(request.total), OrDash(request.trace_id),
      OrDash(request.request_id));
}

std::string JsonMembers(const http::Answered& request, std::string_view route) {
  std::string members;
  JsonWriter json(members);
  const auto text = [&](const char* name, std::string_view value) {
    value.empty() ? json.Key(name).Null() : json.Key(name).String(value);
  };
  const auto ms = [&](const char* name, http::Cost::Duration duration) {
    json.Key(name).Json(fmt::format("{:.3f}", Ms(duration)));
  };
  const http::Cost& cost = request.cost;
  text("method", Printable(request.method, kMethodBytes));
  text("route", route);
  json.Key("status").Integer(request.status);
  text("key", request.client.key_name);
  text("address", request.client.address);
  json.Key("texts").Integer(cost.texts).Key("cached").Integer(cost.cached_texts);
  json.Key("tokens").Integer(cost.tokens);
  json.Key("bytes_in").Integer(request.bytes_in).Key("bytes_out").Integer(request.bytes_out);
  ms("tokenization_ms", cost.tokenization);
  ms("queue_ms", cost.queue);
  ms("inference_ms", cost.inference);
  ms("total_ms", request.total);
  text("trace_id", request.trace_id);
  text("request_id", request.request_id);
  return members;
}

}  // namespace

std::string AccessLine(LogFormat format, const http::Answered& answered, std::string_view route) {
  return format == LogFormat::kJson ? JsonMembers(answered, route) : TextLine(answered, route);
}

AccessLog::AccessLog(LogFormat format) : format_(format), writer_([this] { Loop(); }) {}

AccessLog::~AccessLog() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyOne();
  writer_.join();
}

void AccessLog::Write(const http::Answered& answered, std::string_view route) noexcept {
  try {
    Line line{std::chrono::system_clock::now(), AccessLine(format_, answered, route)};
    bool wake = false;
    {
      const MutexLock lock(mutex_);
      if (waiting_.size() < kMaxWaiting) {
        waiting_.push_back(std::move(line));
        wake = std::exchange(asleep_, false);
      } else {
        ++lost_;
      }
    }
    if (wake) changed_.NotifyOne();
  } catch (const std::exception&) {
    ++lost_;
  }
}

bool AccessLog::Take(std::vector<Line>& lines) {
  lines.clear();
  const MutexLock lock(mutex_);
  const auto gathered = std::chrono::steady_clock::now() + kGather;
  while (!stopping_ && std::chrono::steady_clock::now() < gathered) {
    changed_.WaitUntil(mutex_, gathered);
  }
  while (waiting_.empty() && !stopping_) {
    asleep_ = true;
    changed_.Wait(mutex_);
  }
  asleep_ = false;
  lines.swap(waiting_);
  return !lines.empty();
}

void AccessLog::Loop() {
  std::vector<Line> lines;
  while (Take(lines)) {
    std::shared_ptr<spdlog::logger> logger = spdlog::get(kLogger);
    if (logger == nullptr) logger = spdlog::default_logger();
    for (const Line& line : lines) {
      logger->log(line.time, {}, spdlog::level::info,
                  spdlog::string_view_t(line.text.data(), line.text.size()));
    }
  }
}

}  // namespace embedding::api
