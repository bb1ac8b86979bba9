#include <sys/stat.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "app/logging.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/instance_options.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/standard_streams.h"

namespace embedding::cli {
namespace {

constexpr size_t kMostLines = 1'000'000;
constexpr std::chrono::milliseconds kPause{100};

struct LogsOptions {
  InstanceOptions instance;
  bool follow = false;
  size_t lines = 100;
};

void AddLogsOptions(CLI::App& app, LogsOptions& options) {
  AddInstanceOptions(app, options.instance);
  app.add_option("-f,--follow", options.follow, "Goes on with what is added, until interrupted")
      ->transform(Switch())
      ->default_str("false");
  app.add_option("-n,--lines", options.lines, "How many of the last lines to begin with")
      ->capture_default_str()
      ->transform(WholeNumber(0, kMostLines));
}

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File Open(const std::string& path) { return {std::fopen(path.c_str(), "rb"), std::fclose}; }

ino_t NumberOf(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

ino_t NumberOf(const File& file) {
  struct stat status {};
  return ::fstat(::fileno(file.get()), &status) == 0 ? status.st_ino : 0;
}

// Appends the lines of a file, of which the last may lack its end, before those that are there.
void PutBefore(std::deque<std::string>& lines, const std::string& path, size_t most) {
  std::ifstream file(path, std::ios::binary);
  std::deque<std::string> found;
  for (std::string line; std::getline(file, line);) {
    found.push_back(std::move(line));
    if (found.size() > most) found.pop_front();
  }
  while (!found.empty() && lines.size() < most) {
    lines.push_front(std::move(found.back()));
    found.pop_back();
  }
}

// The last lines, of files that were put aside too. Gives the file that holds the end, at its end.
File PrintLast(const std::string& path, size_t most) {
  std::deque<std::string> lines;
  File file = Open(path);
  if (file == nullptr) return file;
  std::string rest;
  std::array<char, 65536> bytes{};
  for (size_t size = 0; (size = std::fread(bytes.data(), 1, bytes.size(), file.get())) > 0;)
    rest.append(bytes.data(), size);
  const bool whole = rest.empty() || rest.back() == '\n';
  for (size_t begin = 0; begin < rest.size();) {
    const size_t end = std::min(rest.find('\n', begin), rest.size());
    lines.push_back(rest.substr(begin, end - begin));
    if (lines.size() > most) lines.pop_front();
    begin = end + 1;
  }
  for (size_t i = 1; lines.size() < most && NumberOf(app::RotatedName(path, i)) != 0; ++i)
    PutBefore(lines, app::RotatedName(path, i), most);
  for (size_t i = 0; i < lines.size(); ++i)
    std::printf(i + 1 == lines.size() && !whole ? "%s" : "%s\n", lines[i].c_str());
  return file;
}

// The file that was begun after the one of that number, which has been put aside since; the newest
// if that is gone already.
File OpenNext(const std::string& path, ino_t number) {
  for (size_t i = 1; NumberOf(app::RotatedName(path, i)) != 0; ++i) {
    if (NumberOf(app::RotatedName(path, i)) == number) return Open(app::RotatedName(path, i - 1));
  }
  return Open(path);
}

// Until standard output is gone.
void Follow(const std::string& path, File file) {
  std::array<char, 65536> bytes{};
  for (;;) {
    const ino_t newest = NumberOf(path);  // before reading: what came until then is read
    for (size_t size = 0; (size = std::fread(bytes.data(), 1, bytes.size(), file.get())) > 0;)
      std::fwrite(bytes.data(), 1, size, stdout);
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return;
    std::clearerr(file.get());
    if (newest != 0 && newest != NumberOf(file)) {
      File next = OpenNext(path, NumberOf(file));
      if (next != nullptr && NumberOf(next) != NumberOf(file)) {
        file = std::move(next);
        continue;
      }
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace

void DescribeLogs(CLI::App& app) {
  static LogsOptions options;
  AddLogsOptions(app, options);
}

int ShowLogs(int argc, char** argv) {
  LogsOptions options;
  CLI::App app("Prints the last lines of the log of a server in the background.",
               "embedding-service logs");
  AddLogsOptions(app, options);
  if (const Status logging = app::StartLogging({}); !logging.ok()) return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  const Result<KnownInstance> known = KnownInstanceOf(options.instance.name, options.instance.port);
  if (!known.ok()) return Report(known.error());
  const std::string& path = known->record.log_file;
  File file = PrintLast(path, options.lines);
  if (file == nullptr) {
    return Report({ErrorCode::kInternal, "there is no log at " + Quoted(path), ""});
  }
  if (options.follow) {
    Follow(path, std::move(file));
    return kExitOk;  // whoever read it has gone, which is how it ends
  }
  if (const Status printed = FlushStandardOutput(); !printed.ok()) return Report(printed.error());
  return kExitOk;
}

}  // namespace embedding::cli
