// Which model is loaded and how it computes: options of every command that loads one.
#pragma once

#include <CLI/CLI.hpp>

#include "app/configuration.h"

namespace embedding::cli {

// `options` must outlive the parsing.
void AddModelOptions(CLI::App& app, app::Configuration& options);

}  // namespace embedding::cli
