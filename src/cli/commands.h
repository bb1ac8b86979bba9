// The commands, one file each, and the exit codes that all of them share.
#pragma once

namespace embedding::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitModel = 3,
  kExitAddressInUse = 4,
  kExitDevice = 5,
};

// Runs `embedding-service serve ...`; argv[0] is the command's name. Gives the exit code.
int Serve(int argc, char** argv);

}  // namespace embedding::cli
