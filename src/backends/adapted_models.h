// Which models may have adapters: what none has with them is not computed, by any backend.
#pragma once

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

}  // namespace embedding
