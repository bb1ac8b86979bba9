// What a cache of results says of itself, for Prometheus.
#pragma once

#include <prometheus/metric_family.h>

#include <vector>

#include "embedding/result_store.h"

namespace embedding::api {

// Adds the families embedding_cache_... as metrics.h describes them. Throws std::bad_alloc.
void AddCacheMetrics(const ResultStore& cache, std::vector<prometheus::MetricFamily>& families);

}  // namespace embedding::api
