// The commands, one file each, and the exit codes that all of them share.
#pragma once

#include <span>

#include "base/result.h"

namespace CLI {
class App;
}

namespace embedding::cli {

enum ExitCode : int {
  kExitOk = 0,
  kExitFailed = 1,
  kExitUsage = 2,
  kExitModel = 3,
  kExitAddressInUse = 4,
  kExitDevice = 5,
  // What init scripts give for a service that does not run; of `status` alone, which loads nothing.
  kExitNotRunning = 3,
};

struct Command {
  const char* name;
  // Gives the exit code; argv[0] is the command's name.
  int (*run)(int argc, char** argv);
  const char* summary;  // in one line
  // Describes its options to `app`, whose values go nowhere.
  void (*add_options)(CLI::App& app);
};

// All of them, in the order of the help.
std::span<const Command> Commands();

// Prints an error in one line; gives the exit code of its kind.
int Report(const Error& error);

int Serve(int argc, char** argv);
int Start(int argc, char** argv);
int Stop(int argc, char** argv);
int Restart(int argc, char** argv);
int ShowStatus(int argc, char** argv);
int ShowLogs(int argc, char** argv);
int Download(int argc, char** argv);
int Embed(int argc, char** argv);
int Bench(int argc, char** argv);
int Selftest(int argc, char** argv);
int Help(int argc, char** argv);

void DescribeServe(CLI::App& app);
void DescribeStart(CLI::App& app);
void DescribeStop(CLI::App& app);
void DescribeRestart(CLI::App& app);
void DescribeStatus(CLI::App& app);
void DescribeLogs(CLI::App& app);
void DescribeDownload(CLI::App& app);
void DescribeEmbed(CLI::App& app);
void DescribeBench(CLI::App& app);
void DescribeSelftest(CLI::App& app);
void DescribeHelp(CLI::App& app);

}  // namespace embedding::cli
