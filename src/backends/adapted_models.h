// Which models may have adapters: what none has with them is not computed, by any backend; and
// which of them a batch has.
#pragma once

#include <cstddef>
#include <set>
#include <vector>

#include "backends/backend.h"
#include "base/result.h"
#include "model/architecture.h"

namespace embedding {

// Errors: kModelLoad.
inline Status CheckAdapters(const Encoder& encoder) {
  if (!encoder.adapters) return {};
  if (encoder.embedding_size != encoder.hidden_size || encoder.layer_inputs) {
    return Error{ErrorCode::kModelLoad,
                 "adapters of projections and of inputs of layers are not computed",
                 {}};
  }
  for (const Layer& layer : encoder.layers) {
    if (!layer.feed_forward.experts) continue;
    return Error{ErrorCode::kModelLoad, "adapters of mixtures of experts are not computed", {}};
  }
  return {};
}

// The numbers of those that any sequence has, ascending.
inline std::vector<size_t> UsedAdapters(const Batch& batch) {
  std::set<size_t> used;
  for (size_t s = 0; s < batch.sequences(); ++s) {
    if (batch.adapter_of(s) >= 0) used.insert(static_cast<size_t>(batch.adapter_of(s)));
  }
  return {used.begin(), used.end()};
}

}  // namespace embedding
