#include "backends/cuda/cuda_models.h"

#include <fmt/format.h>

#include <string>

namespace embedding {
namespace {

// What there is that the CPU alone computes; empty if nothing.
std::string NotComputed(const Encoder& encoder) {
  if (encoder.adapters) return "adapters";
  if (encoder.layer_inputs) return "inputs of layers";
  if (encoder.disentangled) return "disentangled attention";
  for (const Layer& layer : encoder.layers) {
    if (layer.feed_forward.experts) return "mixtures of experts";
    if (layer.scales_output) return "layers that scale their outputs";
    const size_t head_dim = encoder.layers.front().attention.head_dim;
    if (layer.attention.head_dim != head_dim) {
      return fmt::format("heads of {} numbers in one layer and of {} in another", head_dim,
                         layer.attention.head_dim);
    }
  }
  return "";
}

}  // namespace

Status CheckCudaComputes(const Architecture& architecture, std::string_view device) {
  const std::string what = NotComputed(architecture.encoder);
  if (what.empty()) return {};
  return Error{ErrorCode::kDeviceUnavailable,
               fmt::format("the device {} does not compute {}, which this model has; choose the "
                           "device cpu",
                           device, what),
               {}};
}

}  // namespace embedding
