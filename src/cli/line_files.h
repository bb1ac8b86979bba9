// Files of lines: read with a bound on a line's length, and written so that what is there is whole.
//
// Not thread-safe.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding::cli {

class LineReader {
 public:
  // `file` stays the caller's.
  explicit LineReader(std::FILE* file) : file_(file) {}

  // The next line, without its end ("\n" or "\r\n"); nothing at the end. Errors: kInvalidArgument
  // for a line of more than 16 MB; kInternal if the file cannot be read.
  Result<std::optional<std::string>> Next();

 private:
  std::FILE* file_;
  uint64_t line_ = 0;
};

class LineWriter {
 public:
  // Standard output.
  LineWriter() : file_(stdout, [](std::FILE*) { return 0; }) {}

  // The file at `path`, which must not be there; or, to `resume`, its whole lines are kept, and
  // what an interruption left behind them is cut off. Errors: kInvalidArgument, kInternal.
  static Result<LineWriter> Open(const std::string& path, bool resume);

  // That were there.
  uint64_t lines() const { return lines_; }

  // Errors: kInternal, a full disk say.
  Status Write(std::string_view lines);

 private:
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> file_;
  std::string name_ = "standard output";
  uint64_t lines_ = 0;
};

}  // namespace embedding::cli
