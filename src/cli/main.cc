#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/exhaustion.h"
#include "cli/near_name.h"
#include "cli/standard_streams.h"

namespace {

struct Command {
  std::string_view name;
  int (*run)(int argc, char** argv);
  std::string_view summary;
};

constexpr Command kCommands[] = {
    {"serve", embedding::cli::Serve, "answer requests over HTTP"},
};

void PrintUsage(std::FILE* out) {
  std::fputs("Usage: embedding-service COMMAND [OPTIONS]\n\nCommands:\n", out);
  for (const Command& command : kCommands) {
    std::fprintf(out, "  %-10s %s\n", command.name.data(), command.summary.data());
  }
  std::fputs("\nembedding-service COMMAND --help tells a command's options.\n", out);
}

void ReportUnknownCommand(std::string_view name) {
  std::vector<std::string> names;
  for (const Command& command : kCommands) names.emplace_back(command.name);
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
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(argc - 1, argv + 1);
  }
  if (name == "--version") {
    std::puts("embedding-service " EMBEDDING_SERVICE_VERSION);
    return Report(embedding::cli::FlushStandardOutput());
  }
  if (name == "--help" || name == "-h") {
    PrintUsage(stdout);
    return Report(embedding::cli::FlushStandardOutput());
  }
  if (!name.empty()) ReportUnknownCommand(name);
  PrintUsage(stderr);
  return embedding::cli::kExitUsage;
}
