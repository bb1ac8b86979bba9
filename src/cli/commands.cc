#include "cli/commands.h"

#include "app/logging.h"

namespace embedding::cli {

std::span<const Command> Commands() {
  static constexpr Command kCommands[] = {
      {"serve", Serve, "answer requests over HTTP", DescribeServe},
      {"start", Start, "the same in the background", DescribeStart},
      {"stop", Stop, "end a server in the background", DescribeStop},
      {"restart", Restart, "replace it by a new one, without a pause", DescribeRestart},
      {"status", ShowStatus, "whether it runs, and how it is", DescribeStatus},
      {"logs", ShowLogs, "what it logs", DescribeLogs},
      {"embed", Embed, "texts to vectors, here, without a server", DescribeEmbed},
      {"download", Download, "fetch a model of the Hugging Face hub", DescribeDownload},
      {"bench", Bench, "what this machine does with a model", DescribeBench},
      {"selftest", Selftest, "whether a model's vectors are right", DescribeSelftest},
      {"help", Help, "this list, the manual page, shell completion", DescribeHelp},
  };
  return kCommands;
}

int Report(const Error& error) {
  app::PrintError(error.message);
  switch (error.code) {
    case ErrorCode::kInvalidArgument:
      return kExitUsage;
    case ErrorCode::kModelLoad:
    case ErrorCode::kDownload:
      return kExitModel;
    case ErrorCode::kAddressInUse:
      return kExitAddressInUse;
    case ErrorCode::kDeviceUnavailable:
      return kExitDevice;
    default:
      return kExitFailed;
  }
}

}  // namespace embedding::cli
