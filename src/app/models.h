// Finding, downloading and loading the models that a configuration names.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "api/loading.h"
#include "app/configuration.h"
#include "base/result.h"
#include "embedding/engine.h"
#include "embedding/observer.h"
#include "hub/download.h"

namespace embedding::app {

// Who is told what the engine of the model of that name does.
using ObserverOf = std::function<EngineObserver&(const std::string& name)>;

// Loads them all, onto the same devices, and says so. Takes minutes where a model is downloaded,
// which `loading` is told of.
Result<std::vector<std::unique_ptr<Embedder>>> LoadModels(const Configuration& configuration,
                                                          const ObserverOf& observer_of,
                                                          api::Loading& loading);

// The first of them alone, for commands that compute here; says nothing. `progress` is told of a
// download.
Result<std::unique_ptr<Embedder>> LoadFirstModel(const Configuration& configuration,
                                                 const ProgressCallback& progress);

}  // namespace embedding::app
