#include "cli/line_files.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "base/quoted.h"
#include "cli/usage_error.h"

namespace embedding::cli {
namespace {

constexpr size_t kMaxLineBytes = 16'000'000;

std::string SystemError() { return std::generic_category().message(errno); }

}  // namespace

Result<std::optional<std::string>> LineReader::Next() {
  std::string line;
  ++line_;
  int c = 0;
  while ((c = getc_unlocked(file_)) != EOF && c != '\n') {
    line += static_cast<char>(c);
    if (line.size() > kMaxLineBytes)
      return UsageError("line {} has more than {} bytes", line_, kMaxLineBytes);
  }
  if (c == EOF && std::ferror(file_) != 0)
    return Error{ErrorCode::kInternal, "the texts cannot be read: " + SystemError(), ""};
  if (c == EOF && line.empty()) return std::optional<std::string>();
  if (line.ends_with('\r')) line.pop_back();
  return std::optional<std::string>(std::move(line));
}

Result<LineWriter> LineWriter::Open(const std::string& path, bool resume) {
  LineWriter writer;
  writer.name_ = Quoted(path);
  // Not to be created anew if it is there.
  const char* mode = resume ? "ab+" : "wbx";
  writer.file_ = {std::fopen(path.c_str(), mode), std::fclose};
  if (writer.file_ == nullptr && errno == EEXIST) {
    return UsageError("--output: {} is there already; --resume goes on with it, or remove it",
                      writer.name_);
  }
  if (writer.file_ == nullptr) return UsageError("--output: {}: {}", writer.name_, SystemError());
  if (!resume) return writer;
  std::FILE* file = writer.file_.get();
  std::rewind(file);
  int64_t whole = 0;  // bytes up to the end of the last whole line
  int64_t read = 0;
  std::array<char, 65536> bytes{};
  for (size_t size = 0; (size = std::fread(bytes.data(), 1, bytes.size(), file)) > 0;) {
    for (size_t i = 0; i < size; ++i) {
      ++read;
      if (bytes[i] != '\n') continue;
      whole = read;
      ++writer.lines_;
    }
  }
  if (std::ferror(file) != 0 || ::ftruncate(::fileno(file), whole) != 0) {
    return Error{ErrorCode::kInternal, fmt::format("--output: {}: {}", writer.name_, SystemError()),
                 ""};
  }
  std::clearerr(file);
  std::fseek(file, 0, SEEK_END);
  return writer;
}

Status LineWriter::Write(std::string_view lines) {
  std::FILE* file = file_.get();
  if (std::fwrite(lines.data(), 1, lines.size(), file) == lines.size() && std::fflush(file) == 0)
    return {};
  return Error{ErrorCode::kInternal, fmt::format("{} cannot be written: {}", name_, SystemError()),
               ""};
}

}  // namespace embedding::cli
