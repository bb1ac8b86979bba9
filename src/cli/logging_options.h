// What is logged, in which form and where.
#pragma once

#include <CLI/CLI.hpp>

#include "app/logging.h"

namespace embedding::cli {

// `options` must outlive the parsing.
void AddLoggingOptions(CLI::App& app, app::LoggingOptions& options);

}  // namespace embedding::cli
