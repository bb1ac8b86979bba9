#include "api/cache_metrics.h"

#include <optional>
#include <string>
#include <utility>

namespace embedding::api {
namespace {

// The numbers of stores that have them, by what they are called.
struct Row {
  const char* name;
  const char* help;
  prometheus::MetricType type;
  std::optional<double> (*value)(const ResultStoreStats& stats);
};

template <auto ResultStoreStats::*number>
std::optional<double> Number(const ResultStoreStats& stats) {
  return static_cast<double>(stats.*number);
}

// Of stores that know what they hold.
template <auto ResultStoreStats::*number>
std::optional<double> OfBounded(const ResultStoreStats& stats) {
  return stats.limit_bytes > 0 ? Number<number>(stats) : std::nullopt;
}

std::optional<double> Up(const ResultStoreStats& stats) {
  return stats.up ? std::optional<double>(*stats.up ? 1 : 0) : std::nullopt;
}

constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kGauge = prometheus::MetricType::Gauge;

constexpr Row kRows[] = {
    {"embedding_cache_hits", "Results that were found.", kCounter, Number<&ResultStoreStats::hits>},
    {"embedding_cache_misses", "Results that were looked for and not found.", kCounter,
     Number<&ResultStoreStats::misses>},
    {"embedding_cache_errors", "Times that the store failed.", kCounter,
     Number<&ResultStoreStats::errors>},
    {"embedding_cache_dropped_writes", "Results that the store could not take.", kCounter,
     Number<&ResultStoreStats::dropped_writes>},
    {"embedding_cache_evictions", "Results that made room for others.", kCounter,
     OfBounded<&ResultStoreStats::evictions>},
    {"embedding_cache_entries", "Results that are held.", kGauge,
     OfBounded<&ResultStoreStats::entries>},
    {"embedding_cache_bytes", "Bytes that they take.", kGauge, OfBounded<&ResultStoreStats::bytes>},
    {"embedding_cache_limit_bytes", "Bytes that they may take.", kGauge,
     OfBounded<&ResultStoreStats::limit_bytes>},
    {"embedding_cache_redis_up", "Whether Redis answers.", kGauge, Up},
};

}  // namespace

void AddCacheMetrics(const ResultStore& cache, std::vector<prometheus::MetricFamily>& families) {
  const std::vector<ResultStoreStats> stores = cache.stats();
  for (const Row& row : kRows) {
    prometheus::MetricFamily family{row.name, row.help, row.type, {}};
    for (const ResultStoreStats& stats : stores) {
      const std::optional<double> value = row.value(stats);
      if (!value) continue;
      prometheus::ClientMetric metric;
      metric.label = {{"store", std::string(stats.store)}};
      if (row.type == kCounter) {
        metric.counter.value = *value;
      } else {
        metric.gauge.value = *value;
      }
      family.metric.push_back(std::move(metric));
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
}

}  // namespace embedding::api
