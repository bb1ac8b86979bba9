// A configuration put together: models, engine, interface, server.
#pragma once

#include "app/configuration.h"
#include "app/reload.h"
#include "base/result.h"

namespace embedding::app {

// Answers requests until SIGINT or SIGTERM, or until the terminal is gone. Any other SIGHUP reads
// the configuration again (reload.h). The configuration is complete (Complete). Requests are
// taken, and told that the models load, before they are there. Called once in a process, whose
// memory, signals and exit it rules: it ends the process itself, with EXIT_SUCCESS where the models
// were still loading, with EXIT_FAILURE where requests were cut off, since nothing stops what is
// being computed. Errors: kDownload, kModelLoad, kAddressInUse, kDeviceUnavailable, kInternal.
Status Serve(const Configuration& options, const ReadAgain& read_again);

}  // namespace embedding::app
