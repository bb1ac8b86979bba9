// What `embedding-service serve` can be told.
#pragma once

#include <CLI/CLI.hpp>

#include "app/configuration.h"

namespace embedding::cli {

// Adds every option, with its description and its check (option_values.h); `options` must outlive
// the parsing.
void AddServeOptions(CLI::App& app, app::Configuration& options);

}  // namespace embedding::cli
