#include "app/cache.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "base/quoted.h"
#include "cache/layered_store.h"
#include "redis/redis_address.h"
#include "redis/redis_store.h"

namespace embedding::app {
namespace {

constexpr uint64_t kMostBytes = 1'000'000'000'000;

struct Unit {
  std::string_view name;
  uint64_t bytes;
};
constexpr Unit kUnits[] = {{"", 1},
                           {"KB", 1'000},
                           {"MB", 1'000'000},
                           {"GB", 1'000'000'000},
                           {"KiB", uint64_t{1} << 10},
                           {"MiB", uint64_t{1} << 20},
                           {"GiB", uint64_t{1} << 30}};

std::optional<size_t> ParseSize(std::string_view text) {
  uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc()) return std::nullopt;
  const std::string_view rest = text.substr(static_cast<size_t>(end - text.data()));
  const auto* const unit = std::find_if(std::begin(kUnits), std::end(kUnits),
                                        [&](const Unit& each) { return each.name == rest; });
  if (unit == std::end(kUnits) || number > kMostBytes / unit->bytes) return std::nullopt;
  return static_cast<size_t>(number * unit->bytes);
}

// Requests that ask Redis at a time, each over a connection that is kept open.
constexpr size_t kMostConnections = 16;

}  // namespace

Status CheckCache(const std::string& value) {
  if (IsRedisUrl(value)) {
    Result<RedisAddress> address = ParseRedisUrl(value);
    return address.ok() ? Status{} : Status{std::move(address).error()};
  }
  if (ParseSize(value)) return {};
  // What is no URL by its beginning may have a password all the same.
  const bool may_be_secret = value.find('@') != std::string::npos;
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("expected a size, as 64MB, 1GB or 0, or a Redis, as "
                           "redis://:password@host:6379/0, got {}",
                           may_be_secret ? "something else" : Quoted(value)),
               {}};
}

Status CheckCaches(const std::vector<std::string>& values) {
  const auto redis = std::count_if(values.begin(), values.end(), IsRedisUrl);
  const auto sizes = static_cast<ptrdiff_t>(values.size()) - redis;
  if (redis <= 1 && sizes <= 1) return {};
  return Error{ErrorCode::kInvalidArgument,
               fmt::format("--cache: expected one size and one Redis at most, got {}",
                           redis > 1 ? "more than one Redis" : "more than one size"),
               {}};
}

int ThreadsOfCache(const Configuration& configuration) {
  const std::vector<std::string>& values = configuration.cache;
  return std::any_of(values.begin(), values.end(), IsRedisUrl) ? 1 : 0;
}

std::shared_ptr<ResultStore> OpenCache(const Configuration& configuration, size_t askers) {
  std::optional<size_t> size;
  std::shared_ptr<ResultStore> redis;
  for (const std::string& value : configuration.cache) {
    if (!IsRedisUrl(value)) {
      size = ParseSize(value);
    } else if (Result<RedisAddress> address = ParseRedisUrl(value); address.ok()) {
      redis = std::make_shared<RedisStore>(
          RedisOptions{.address = *std::move(address),
                       .timeout = configuration.cache_timeout,
                       .ttl = configuration.cache_ttl,
                       .connections = std::min(askers, kMostConnections)});
    }
  }
  const size_t memory_bytes = size.value_or(*ParseSize(Configuration().cache.front()));
  if (memory_bytes == 0) return redis;
  std::shared_ptr<ResultStore> memory = MakeMemoryStore(memory_bytes);
  if (redis == nullptr) return memory;
  return std::make_shared<LayeredStore>(std::move(memory), std::move(redis));
}

}  // namespace embedding::app
