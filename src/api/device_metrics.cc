#include "api/device_metrics.h"

#include <chrono>
#include <cstdint>
#include <iterator>
#include <string>
#include <utility>

namespace embedding::api {
namespace {

struct Row {
  const char* name;
  const char* help;
  prometheus::MetricType type;
  double (*value)(const DeviceState& state);
};

template <uint64_t DeviceState::*number>
double Number(const DeviceState& state) {
  return static_cast<double>(state.*number);
}

constexpr auto kCounter = prometheus::MetricType::Counter;
constexpr auto kGauge = prometheus::MetricType::Gauge;

constexpr Row kRows[] = {
    {"embedding_device_up", "Whether the device works and answers.", kGauge,
     [](const DeviceState& state) { return state.status.ok() ? 1.0 : 0.0; }},
    {"embedding_device_busy_seconds",
     "How long the device has been computing what it computes; 0 while it waits.", kGauge,
     [](const DeviceState& state) { return std::chrono::duration<double>(state.busy).count(); }},
    {"embedding_device_batches_total", "Batches that the device was given.", kCounter,
     Number<&DeviceState::batches>},
    {"embedding_device_texts_total", "Texts of these.", kCounter, Number<&DeviceState::texts>},
    {"embedding_device_tokens_total", "Tokens of these.", kCounter, Number<&DeviceState::tokens>},
};

}  // namespace

void AddDeviceMetrics(std::span<Embedder* const> models,
                      std::vector<prometheus::MetricFamily>& families) {
  if (models.empty()) return;
  const size_t first = families.size();
  for (const Row& row : kRows) families.push_back({row.name, row.help, row.type, {}});
  for (const Embedder* model : models) {
    const std::vector<DeviceState> states = model->devices();
    for (size_t replica = 0; replica < states.size(); ++replica) {
      for (size_t i = 0; i < std::size(kRows); ++i) {
        prometheus::ClientMetric metric;
        metric.label = {{"model", model->info().name},
                        {"device", states[replica].device},
                        {"replica", std::to_string(replica)}};
        (kRows[i].type == kCounter ? metric.counter.value : metric.gauge.value) =
            kRows[i].value(states[replica]);
        families[first + i].metric.push_back(std::move(metric));
      }
    }
  }
}

}  // namespace embedding::api
