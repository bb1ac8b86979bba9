// What /metrics tells of the devices that the models are on.
#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <vector>

#include "embedding/engine.h"

namespace embedding::api {

// Adds the families embedding_device_... as metrics.h describes them; none where there is no model
// yet. Throws std::bad_alloc.
void AddDeviceMetrics(std::span<Embedder* const> models,
                      std::vector<prometheus::MetricFamily>& families);

}  // namespace embedding::api
