#include "app/instance.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <system_error>
#include <thread>
#include <utility>

#include "base/ascii.h"
#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/quoted.h"
#include "hub/hub_environment.h"

namespace embedding::app {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMaxRecordBytes = size_t{1} << 20;
constexpr char kRecordEnding[] = ".json";
constexpr char kSuccessorEnding[] = ".next";
// A command that only looks whether a lock is held has it for a moment, and so does one that has
// just ended its work.
constexpr int kLockAttempts = 10;
constexpr std::chrono::milliseconds kLockPause{10};

std::string SystemError() { return std::generic_category().message(errno); }

Error Failed(const std::string& path, const std::string& what) {
  return {ErrorCode::kInternal, Quoted(path) + ": " + what, ""};
}

std::string StateFolder() {
  const std::string given = ReadVariable("XDG_STATE_HOME");
  // A relative path is to be ignored, by the specification of the variable.
  const fs::path home = given.starts_with('/') ? given : ExpandHome("~/.local/state");
  return (home / "embedding-service").string();
}

// Makes the folder, which nobody else can enter.
Status MakeStateFolder(const std::string& folder) {
  std::error_code error;
  fs::create_directories(fs::path(folder).parent_path(), error);
  if (!error && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
    error = {errno, std::generic_category()};
  if (error) {
    return Failed(folder, "cannot be made: " + error.message() +
                              "; XDG_STATE_HOME names another place for it");
  }
  struct stat status {};
  if (::stat(folder.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
    return Failed(folder, "is not a directory");
  if (status.st_uid != ::geteuid()) return Failed(folder, "belongs to another user");
  if ((status.st_mode & 0077) != 0 && ::chmod(folder.c_str(), 0700) != 0)
    return Failed(folder, "others can enter it: " + SystemError());
  return {};
}

void WriteStrings(JsonWriter& json, const std::vector<std::string>& strings) {
  json.BeginArray();
  for (const std::string& text : strings) json.String(text);
  json.EndArray();
}

Result<InstanceRecord> ParseRecord(const std::string& text, const std::string& path) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  ASSIGN_OR_RETURN(const JsonValue json, JsonValue::Parse(text, path, ErrorCode::kInternal));
  InstanceRecord record;
  ASSIGN_OR_RETURN(record.pid, json.Integer("pid", 0, std::numeric_limits<int32_t>::max()));
  ASSIGN_OR_RETURN(record.url, json.String("url", ""));
  ASSIGN_OR_RETURN(record.model, json.String("model", ""));
  ASSIGN_OR_RETURN(record.log_file, json.String("log_file", ""));
  ASSIGN_OR_RETURN(record.started, json.Integer("started", 0, kMost));
  ASSIGN_OR_RETURN(record.shutdown_timeout_s, json.Integer("shutdown_timeout", 0, kMost));
  ASSIGN_OR_RETURN(record.directory, json.String("directory", ""));
  ASSIGN_OR_RETURN(record.arguments, json.Strings("arguments", std::vector<std::string>()));
  ASSIGN_OR_RETURN(record.environment, json.Strings("environment", std::vector<std::string>()));
  return record;
}

Result<std::string> ReadAll(int descriptor, const std::string& path) {
  std::string text(kMaxRecordBytes, '\0');
  const ssize_t size = ::pread(descriptor, text.data(), text.size(), 0);
  if (size < 0) return Failed(path, "cannot be read: " + SystemError());
  text.resize(static_cast<size_t>(size));
  return text;
}

// Whether the open file is still the one of that name.
bool IsAt(int descriptor, const std::string& path) {
  struct stat open {};
  struct stat named {};
  return ::fstat(descriptor, &open) == 0 && ::stat(path.c_str(), &named) == 0 &&
         open.st_ino == named.st_ino && open.st_dev == named.st_dev;
}

}  // namespace

Result<Instance> Instance::Of(const std::string& name) {
  const auto allowed = [](char c) { return IsAlphanumeric(c) || c == '.' || c == '-' || c == '_'; };
  if (name.empty() || name.size() > kMaxNameBytes || !IsAlphanumeric(name.front()) ||
      !std::all_of(name.begin(), name.end(), allowed)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("--name: expected up to {} letters, digits, '.', '-' and '_', the "
                             "first a letter or a digit, got {}",
                             kMaxNameBytes, Quoted(name)),
                 ""};
  }
  const std::string folder = StateFolder();
  RETURN_IF_ERROR(MakeStateFolder(folder));
  return Instance(name, (fs::path(folder) / name).string());
}

std::vector<std::string> Instance::Names() {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(StateFolder(), error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().extension() == kRecordEnding) names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::optional<InstanceRecord>> Instance::Read() const { return ReadRecord(RecordPath()); }

Result<std::optional<InstanceRecord>> ReadRecord(const std::string& path) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.valid() && errno == ENOENT) return std::optional<InstanceRecord>();
  if (!file.valid()) return Failed(path, "cannot be read: " + SystemError());
  // It may be being written at this moment.
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(const std::string text, ReadAll(file.get(), path));
    Result<InstanceRecord> record = ParseRecord(text, path);
    if (record.ok()) return std::optional<InstanceRecord>(*std::move(record));
    // One that was made and not written to: the command that made it was killed.
    if (attempt == kLockAttempts && text.empty()) return std::optional<InstanceRecord>();
    if (attempt == kLockAttempts) {
      return std::move(record).error().At(
          "the record of this instance is damaged (remove the file once nothing runs)");
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

std::string Instance::RecordPath() const { return base_ + kRecordEnding; }

std::string Instance::SuccessorPath() const { return base_ + kSuccessorEnding; }

bool Instance::Runs() const {
  const FileDescriptor file(::open(RecordPath().c_str(), O_RDONLY | O_CLOEXEC));
  return file.valid() && IsLocked(file.get());
}

Result<std::optional<FileDescriptor>> LockFile(const std::string& path) {
  for (int attempt = 1;; ++attempt) {
    FileDescriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file.valid()) return Failed(path, "cannot be opened: " + SystemError());
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      // Another may have taken its place in the meantime.
      if (IsAt(file.get(), path)) return std::optional<FileDescriptor>(std::move(file));
    } else if (errno != EWOULDBLOCK && errno != EINTR) {
      return Failed(path, "cannot be locked: " + SystemError());
    } else if (attempt >= kLockAttempts) {
      return std::optional<FileDescriptor>();
    }
    std::this_thread::sleep_for(kLockPause);
  }
}

bool IsLocked(int descriptor) {
  // Shared, so that two who only look do not see each other.
  if (::flock(descriptor, LOCK_SH | LOCK_NB) != 0) return errno == EWOULDBLOCK;
  (void)::flock(descriptor, LOCK_UN);
  return false;
}

std::string OfferPath(const std::string& base, int64_t pid) {
  return base + '.' + std::to_string(pid) + ".sock";
}

Status WriteUrl(int descriptor, const std::string& base, const std::string& url) {
  const std::string path = base + kRecordEnding;
  if (!IsAt(descriptor, path) && !IsAt(descriptor, base + kSuccessorEnding))
    return Failed(path, "is not what this process was started with");
  ASSIGN_OR_RETURN(const std::string text, ReadAll(descriptor, path));
  ASSIGN_OR_RETURN(InstanceRecord record, ParseRecord(text, path));
  record.url = url;
  return WriteRecord(descriptor, record);
}

Status WriteRecord(int descriptor, const InstanceRecord& record) {
  std::string text;
  JsonWriter json(text);
  json.BeginObject().Key("pid").Integer(record.pid).Key("url").String(record.url);
  json.Key("model").String(record.model).Key("log_file").String(record.log_file);
  json.Key("started").Integer(record.started);
  json.Key("shutdown_timeout").Integer(record.shutdown_timeout_s);
  json.Key("directory").String(record.directory).Key("arguments");
  WriteStrings(json, record.arguments);
  json.Key("environment");
  WriteStrings(json, record.environment);
  json.EndObject();
  text += '\n';
  if (::pwrite(descriptor, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()) ||
      ::ftruncate(descriptor, static_cast<off_t>(text.size())) != 0) {
    return Error{ErrorCode::kInternal,
                 "the record of the instance cannot be written: " + SystemError(), ""};
  }
  return {};
}

}  // namespace embedding::app
