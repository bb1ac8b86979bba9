// RedisReports: what the log is told of a Redis. Each change is one line, however often it is told.
//
// Thread-safety: one thread at a time.
#pragma once

#include <optional>
#include <string>
#include <utility>

namespace embedding {

class RedisReports {
 public:
  // `name`: what the log calls it.
  explicit RedisReports(std::string name) : name_(std::move(name)) {}

  void Away(const std::string& why);
  void There();
  // Whether it stores what it is sent: why it refuses to, or nothing.
  void Stores(const std::string& refusal);

 private:
  const std::string name_;
  std::optional<bool> there_;  // the log's last word
  bool refuses_ = false;
};

}  // namespace embedding
