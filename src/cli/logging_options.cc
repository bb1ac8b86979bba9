#include "cli/logging_options.h"

#include "cli/option_values.h"

namespace embedding::cli {

void AddLoggingOptions(CLI::App& app, app::LoggingOptions& options) {
  const auto add = [&app](const char* name, auto& value, const char* description,
                          const CLI::Validator& check) {
    app.add_option(name, value, description)->capture_default_str()->transform(check);
  };
  // A line of the log has some hundred bytes.
  constexpr uint64_t kLeastBytes = 10'000;
  constexpr uint64_t kMostBytes = 1'000'000'000'000;
  add("--log-level", options.level, "The least that is logged", OneOf(app::kLogLevels));
  add("--log-format", options.format,
      "text for people, json for programs: an object a line, with time, level and message",
      OneOf(app::kLogFormats));
  add("--log-file", options.file,
      "A file that the log, and what start-up prints, is written to besides; empty for none",
      OptionalText("a file's name"));
  add("--log-file-size", options.file_bytes,
      "Bytes at which the log's file is put aside, as NAME.1.EXTENSION, and a new one begun",
      WholeNumber(kLeastBytes, kMostBytes));
  add("--log-files", options.files, "Files put aside that are kept", WholeNumber(1, 1000));
}

}  // namespace embedding::cli
