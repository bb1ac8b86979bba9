// The log: what is written where, and in which form. Two loggers share its destinations: the
// default one, and "access" (spdlog::get("access")), which has a message for each request.
//
//   text   [2026-01-31 12:00:00.123] [embedding-service] [warning] a message
//          [2026-01-31 12:00:00.123] a message of "access"
//   json   {"time":"2026-01-31T12:00:00.123Z","level":"warning","message":"a message"}
//          {"time":"2026-01-31T12:00:00.123Z",<a message of "access">}, which therefore has to be
//          the members of a JSON object, without the braces
//
// Logging never fails whoever logs: what cannot be written is lost, and standard error is told so
// once. Thread-safety: StartLogging is called once, while there is one thread; the rest from any.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding::app {

struct LoggingOptions {
  std::string level = "info";
  std::string format = "text";
  // Where the log goes besides standard error; nowhere if empty.
  std::string file = {};
  size_t file_bytes = 10'000'000;  // at which the file is put aside as <name>.1.<extension>
  size_t files = 5;                // that are put aside, the oldest of which goes
};

inline const std::vector<std::string> kLogLevels = {"trace", "debug", "info", "warn", "error"};
inline const std::vector<std::string> kLogFormats = {"text", "json"};

// The logger that requests are written to, as spdlog::get takes it.
inline constexpr char kAccessLogger[] = "access";

// Opens the log and makes the two loggers. Errors: kInternal: the file cannot be opened.
Status StartLogging(const LoggingOptions& options);

// One of kLogLevels, from here on. What goes to "access" is logged at every level.
void SetLogLevel(const std::string& level);

// Writes lines, the last without its end, to standard output at once, for whoever started this, and
// to the log's file.
void Print(const std::string& lines);

// Writes an error that ends the process to standard error, and to the log's file.
void PrintError(const std::string& message);

// From here on the log goes to its file alone, and whatever else is written to standard output and
// error is appended to it: whoever started this looks at them no longer. Without a file it does
// nothing.
void LeaveStandardStreams();

// What the file of the log is called when it has been put aside `index` times: "a.1.log" for
// "a.log".
std::string RotatedName(const std::string& file, size_t index);

}  // namespace embedding::app
