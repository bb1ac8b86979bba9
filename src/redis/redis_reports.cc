#include "redis/redis_reports.h"

#include <spdlog/spdlog.h>

namespace embedding {

void RedisReports::Away(const std::string& why) {
  if (there_ == false) return;
  spdlog::warn("cache: {}; texts are computed without it until it answers{}", why,
               there_ ? " again" : "");
  there_ = false;
}

void RedisReports::There() {
  if (there_ == true) return;
  spdlog::info("cache: {} answers{}", name_, there_ ? " again" : "");
  there_ = true;
}

void RedisReports::Stores(const std::string& refusal) {
  if (refusal.empty() != refuses_) return;
  refuses_ = !refuses_;
  if (refuses_) {
    spdlog::warn("cache: {} does not store: {}; what it has is still found", name_, refusal);
  } else {
    spdlog::info("cache: {} stores again", name_);
  }
}

}  // namespace embedding
