// What tells a model's results from those of all others in a store of results.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "backends/backend.h"
#include "base/sha256.h"
#include "weights/tensor_store.h"

namespace embedding {

// What a loaded model's results depend on.
struct ModelOrigin {
  std::string digest;      // EmbedderOptions::model_digest: of its JSON files and smaller ones
  std::string pooling;     // EmbedderOptions::pooling
  std::string_view route;  // which of the model's routes it is, if there are several
  std::span<const TensorStore* const> weights;  // all of its tensors
};

// The identity of a model whose results no other process reads: another for each call.
Sha256::Digest NewIdentity();

// The same wherever the same model is computed with the same bits coming out, or as near to it as
// the device comes (Backend::numerics): a digest of its files and tensors, the dtype, the numerics
// of the devices that compute it, and this build. Reads all of the weights, with all processors (2
// GB take about a second). Without `digest` the JSON files are not known, and it is NewIdentity().
// Throws std::bad_alloc, std::system_error.
Sha256::Digest SharedIdentity(const ModelOrigin& origin,
                              std::span<const std::shared_ptr<Backend>> backends,
                              const Session& session);

}  // namespace embedding
