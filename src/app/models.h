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

namespace embedding::app {

// Who is told what the engine of the model of that name does.
using ObserverOf = std::function<EngineObserver&(const std::string& name)>;

// Loads them all, onto one backend, and says so. Takes minutes where a model is downloaded, which
// `loading` is told of.
Result<std::vector<std::unique_ptr<Embedder>>> LoadModels(const Configuration& configuration,
                                                          const ObserverOf& observer_of,
                                                          api::Loading& loading);

// Writes a line to standard output at once.
void Print(const std::string& line);

}  // namespace embedding::app
