#include "hub/download.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

#include "app/logging.h"
#include "base/quoted.h"
#include "cli/commands.h"
#include "cli/option_values.h"
#include "cli/options.h"
#include "cli/progress_bar.h"
#include "cli/standard_streams.h"
#include "cli/usage_error.h"

namespace embedding::cli {
namespace {

constexpr double kMegabyte = 1e6;

struct DownloadOptions {
  std::string model;
  std::string revision = "main";
  app::LoggingOptions logging = {.level = "warn"};
};

void AddDownloadOptions(CLI::App& app, DownloadOptions& options) {
  app.add_option("ID", options.model,
                 "A model of the Hugging Face hub: BAAI/bge-m3, or all-MiniLM-L6-v2")
      ->transform(Text("a model of the hub"));
  app.add_option("--revision", options.revision, "Branch, tag or commit")
      ->capture_default_str()
      ->transform(Revision());
}

// Of all files, links followed.
uint64_t BytesIn(const std::string& directory) {
  namespace fs = std::filesystem;
  uint64_t bytes = 0;
  std::error_code error;
  for (fs::recursive_directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_regular_file(ignored)) bytes += entry->file_size(ignored);
  }
  return bytes;
}

Result<std::string> DownloadShown(const DownloadOptions& options) {
  ProgressBar bar(kMegabyte, "MB");
  return DownloadModel(options.model, options.revision, [&bar](const DownloadProgress& progress) {
    bar.Show(Printable(progress.file, 60), progress.done_bytes, progress.total_bytes);
  });
}

}  // namespace

void DescribeDownload(CLI::App& app) {
  static DownloadOptions options;
  AddDownloadOptions(app, options);
}

int Download(int argc, char** argv) {
  DownloadOptions options;
  CLI::App app(
      "Fetches a model into the cache of Hugging Face's tools, where serve finds it. What was "
      "interrupted goes on where it was.",
      "embedding-service download");
  AddDownloadOptions(app, options);
  if (const Status logging = app::StartLogging(options.logging); !logging.ok())
    return Report(logging.error());
  if (const std::optional<int> code = ParseOptions(app, argc, argv)) return *code;
  if (options.model.empty())
    return Report(UsageError("download: which model? embedding-service download BAAI/bge-m3"));
  const Result<std::string> directory = DownloadShown(options);
  if (!directory.ok()) return Report(directory.error());
  app::Print(fmt::format("{} is in {} ({:.0f} MB)", options.model, *directory,
                         static_cast<double>(BytesIn(*directory)) / kMegabyte));
  const Status printed = FlushStandardOutput();
  return printed.ok() ? kExitOk : Report(printed.error());
}

}  // namespace embedding::cli
