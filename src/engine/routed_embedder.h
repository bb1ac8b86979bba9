// RoutedEmbedder: a model whose texts take one of several ways through it (model/routes.h).
#pragma once

#include <memory>
#include <vector>

#include "base/result.h"
#include "embedding/engine.h"
#include "model/routes.h"

namespace embedding {

// Of an embedder for each of the routes' lists, in their order. A request goes to one of them by
// its prompt_name. They share the devices, take turns on them, and have a queue each. Errors:
// kModelLoad where what they make of texts cannot stand side by side.
Result<std::unique_ptr<Embedder>> MakeRoutedEmbedder(
    Routes routes, std::vector<std::unique_ptr<Embedder>> embedders);

}  // namespace embedding
