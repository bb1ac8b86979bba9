// LocalEmbedder: a model of one list of modules, computed in this process.
#pragma once

#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "embedding/engine.h"
#include "model/model_spec.h"

namespace embedding {

// Loads what `spec` says onto each of the backends, of which there is one at least. `route` tells
// it from others of the same directory; empty if there are none. Errors: as Embedder::Load's.
Result<std::unique_ptr<Embedder>> LoadLocalEmbedder(
    ModelSpec spec, const EmbedderOptions& options,
    std::span<const std::shared_ptr<Backend>> backends, std::string_view route);

}  // namespace embedding
