// Loading a model for a command that computes here.
#pragma once

#include <memory>

#include "app/models.h"
#include "base/result.h"

namespace embedding::cli {

// The first model of a complete configuration; a download is shown on standard error, and what was
// taken for granted is logged.
Result<std::unique_ptr<Embedder>> LoadShown(const app::Configuration& configuration);

}  // namespace embedding::cli
