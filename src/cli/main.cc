#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/documents.h"
#include "cli/exhaustion.h"
#include "cli/near_name.h"
#include "cli/standard_streams.h"

namespace {

void ReportUnknownCommand(std::string_view name) {
  std::vector<std::string> names;
  for (const embedding::cli::Command& command : embedding::cli::Commands())
    names.emplace_back(command.name);
  const std::string nearest = embedding::cli::NearestName(name, names);
  std::string hint;
  if (!nearest.empty()) hint = "; did you mean " + nearest + "?";
  if (name.starts_with('-')) hint = "; options stand behind a command";
  std::fprintf(stderr, "embedding-service: no such command: %s%s\n",
               embedding::Quoted(name).c_str(), hint.c_str());
}

int Report(const embedding::Status& status) {
  if (status.ok()) return embedding::cli::kExitOk;
  std::fprintf(stderr, "embedding-service: %s\n", status.error().message.c_str());
  return embedding::cli::kExitFailed;
}

}  // namespace

int main(int argc, char** argv) {
  if (const embedding::Status streams = embedding::cli::PrepareStandardStreams(); !streams.ok()) {
    return Report(streams);
  }
  embedding::cli::ReportExhaustion();
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const embedding::cli::Command& command : embedding::cli::Commands()) {
    if (name == command.name) return command.run(argc - 1, argv + 1);
  }
  if (name == "--version") {
    std::puts("embedding-service " EMBEDDING_SERVICE_VERSION);
    return Report(embedding::cli::FlushStandardOutput());
  }
  if (name == "--help" || name == "-h") {
    std::fputs(embedding::cli::Usage().c_str(), stdout);
    return Report(embedding::cli::FlushStandardOutput());
  }
  if (!name.empty()) ReportUnknownCommand(name);
  std::fputs(embedding::cli::Usage().c_str(), stderr);
  return embedding::cli::kExitUsage;
}
