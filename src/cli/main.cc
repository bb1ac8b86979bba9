#include <cstdio>
#include <string_view>

#include "cli/commands.h"
#include "cli/version.h"

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

}  // namespace

int main(int argc, char** argv) {
  const std::string_view name = argc > 1 ? argv[1] : "";
  for (const Command& command : kCommands) {
    if (command.name == name) return command.run(argc - 1, argv + 1);
  }
  if (name == "--version") {
    std::printf("embedding-service %s\n", embedding::cli::kVersion);
    return embedding::cli::kExitOk;
  }
  if (name == "--help" || name == "-h") {
    PrintUsage(stdout);
    return embedding::cli::kExitOk;
  }
  if (!name.empty()) std::fprintf(stderr, "embedding-service: no such command: %s\n", argv[1]);
  PrintUsage(stderr);
  return embedding::cli::kExitUsage;
}
