#include "hub/model_cache.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "hub/hub_error.h"
#include "hub/model_locator.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxEtagBytes = 128;

Status MakeDirectories(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return HubError("{}: cannot be created: {}", path.string(), error.message());
  return {};
}

// A name beside `path` that no other process uses.
fs::path Beside(const fs::path& path) { return fmt::format("{}.{}.tmp", path.string(), getpid()); }

Status Rename(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (!error) return {};
  std::error_code ignored;
  fs::remove(from, ignored);
  return HubError("{}: cannot be put in place: {}", to.string(), error.message());
}

}  // namespace

Status CheckEtag(std::string_view etag) {
  const bool plain = !etag.empty() && etag.size() <= kMaxEtagBytes && etag.front() != '.' &&
                     etag.back() != '.' &&
                     etag.find_first_not_of(
                         "0123456789abcdefghijklmnopqrstuvwxyz"
                         "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_.") == std::string_view::npos;
  if (plain) return {};
  return HubError("the server gives {} as an ETag, which cannot be a file's name", Quoted(etag));
}

ModelCache::ModelCache(std::string_view id) : model_(HubModelDirectory(id)) {
  const fs::path model(model_);
  locks_ = (model.parent_path() / ".locks" / model.filename()).string();
}

std::string ModelCache::SnapshotPath(std::string_view commit) const {
  return (fs::path(model_) / "snapshots" / commit).string();
}

std::string ModelCache::BlobPath(std::string_view etag) const {
  return (fs::path(model_) / "blobs" / etag).string();
}

bool ModelCache::HasFile(const std::string& commit, const std::string& name) const {
  std::error_code ignored;
  return fs::is_regular_file(fs::path(SnapshotPath(commit)) / name, ignored);
}

bool ModelCache::HasBlob(const std::string& etag, uint64_t size_bytes) const {
  std::error_code error;
  return fs::file_size(BlobPath(etag), error) == size_bytes && !error;
}

Status ModelCache::Prepare() const {
  RETURN_IF_ERROR(MakeDirectories(fs::path(model_) / "blobs"));
  return MakeDirectories(locks_);
}

Result<FileDescriptor> ModelCache::LockBlob(const std::string& etag) const {
  const std::string path = (fs::path(locks_) / (etag + ".lock")).string();
  FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0664));
  if (!file.valid()) return HubError("{}: cannot be opened: {}", path, std::strerror(errno));
  int locked = 0;
  do {
    locked = flock(file.get(), LOCK_EX);
  } while (locked != 0 && errno == EINTR);
  // Some network file systems have no flock.
  if (locked != 0 && errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOLCK) {
    return HubError("{}: cannot be locked: {}", path, std::strerror(errno));
  }
  return file;
}

Status ModelCache::LinkFile(const std::string& commit, const std::string& name,
                            const std::string& etag) const {
  const fs::path link = fs::path(SnapshotPath(commit)) / name;
  RETURN_IF_ERROR(MakeDirectories(link.parent_path()));
  const fs::path target = fs::path(BlobPath(etag)).lexically_relative(link.parent_path());
  const fs::path beside = Beside(link);
  std::error_code error;
  fs::remove(beside, error);
  fs::create_symlink(target, beside, error);
  if (error) return HubError("{}: cannot be linked: {}", link.string(), error.message());
  return Rename(beside, link);
}

Status ModelCache::NoteAbsence(const std::string& commit, const std::string& name) const {
  const fs::path note = fs::path(model_) / ".no_exist" / commit / name;
  RETURN_IF_ERROR(MakeDirectories(note.parent_path()));
  if (!std::ofstream(note)) return HubError("{}: cannot be written", note.string());
  return {};
}

bool ModelCache::IsAbsent(const std::string& commit, const std::string& name) const {
  std::error_code ignored;
  return fs::exists(fs::path(model_) / ".no_exist" / commit / name, ignored);
}

Status ModelCache::WriteRef(const std::string& revision, const std::string& commit) const {
  if (revision == commit) return {};
  const fs::path ref = fs::path(model_) / "refs" / revision;
  RETURN_IF_ERROR(MakeDirectories(ref.parent_path()));
  const fs::path beside = Beside(ref);
  std::ofstream file(beside, std::ios::binary | std::ios::trunc);
  file << commit;
  file.close();
  if (!file) return HubError("{}: cannot be written", beside.string());
  return Rename(beside, ref);
}

}  // namespace embedding
