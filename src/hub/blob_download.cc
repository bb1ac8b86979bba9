#include "hub/blob_download.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "hub/file_descriptor.h"
#include "hub/file_sha256.h"
#include "hub/hub_error.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// The file that a download grows in.
class PartialFile {
 public:
  static Result<PartialFile> Open(const std::string& path) {
    FileDescriptor file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
    struct stat status {};
    if (!file.valid() || fstat(file.get(), &status) != 0) {
      return HubError("{}: cannot be opened: {}", path, std::strerror(errno));
    }
    return PartialFile(path, std::move(file), static_cast<uint64_t>(status.st_size));
  }

  uint64_t size_bytes() const { return size_bytes_; }
  const std::string& path() const { return path_; }

  Status Clear() {
    if (ftruncate(file_.get(), 0) != 0) return Failed("emptied");
    size_bytes_ = 0;
    return {};
  }

  Status Append(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t written =
          pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(size_bytes_));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return Failed("written");
      size_bytes_ += static_cast<uint64_t>(written);
      bytes.remove_prefix(static_cast<size_t>(written));
    }
    return {};
  }

  // Gives the file its final name, once its bytes are on the disk.
  Status Commit(const std::string& path) {
    if (fsync(file_.get()) != 0) return Failed("written");
    if (std::rename(path_.c_str(), path.c_str()) != 0) return Failed("renamed");
    return {};
  }

 private:
  PartialFile(std::string path, FileDescriptor file, uint64_t size_bytes)
      : path_(std::move(path)), file_(std::move(file)), size_bytes_(size_bytes) {}

  Error Failed(const char* what) const {
    if (errno == ENOSPC || errno == EDQUOT) {
      return HubError(
          "{}: the disk is full; make room, or set HF_HUB_CACHE to a directory "
          "elsewhere, and try again",
          path_);
    }
    return HubError("{}: cannot be {}: {}", path_, what, std::strerror(errno));
  }

  std::string path_;
  FileDescriptor file_;
  uint64_t size_bytes_;
};

// Large files have the SHA-256 of their contents for an ETag, small ones a git hash.
bool IsSha256(std::string_view etag) {
  return etag.size() == 64 && etag.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// The first byte of "bytes 1000-1999/2000".
bool BeginsAt(const std::string& content_range, uint64_t begin) {
  return content_range.starts_with(fmt::format("bytes {}-", begin));
}

// Requests the bytes that are missing, again and again while that helps.
Status Fill(HttpClient& http, const HubSettings& settings, const ModelRevision& model,
            const RemoteFile& file, PartialFile& partial, const BlobProgress& progress) {
  Status local;  // what went wrong on this side
  const auto attempt = [&] {
    // What cannot be verified in the end is not pieced together.
    if (!IsSha256(file.etag)) local = partial.Clear();
    HttpRequest request;
    request.url = file.url;
    request.range_begin = partial.size_bytes();
    bool first = true;
    request.sink = [&](const HttpResponse& head, std::string_view bytes) {
      const bool resumes =
          head.status == 206 && BeginsAt(head.Header("content-range"), request.range_begin);
      if (std::exchange(first, false) && !resumes && request.range_begin > 0) {
        // The server sends the file from its beginning, as it may.
        local = head.status == 206 ? Status(HubError("{}: the server sends another part than was "
                                                     "asked for",
                                                     file.url))
                                   : partial.Clear();
      }
      if (local.ok() && bytes.size() > file.size_bytes - partial.size_bytes()) {
        local = HubError("{}: the server sends more than the {} bytes it announced", file.url,
                         file.size_bytes);
      }
      if (local.ok()) local = partial.Append(bytes);
      if (local.ok()) progress(partial.size_bytes());
      return local.ok();
    };
    return http.Send(request);
  };
  const HttpResponse response =
      WithRetries(file.url, attempt, [&] { return partial.size_bytes(); });
  RETURN_IF_ERROR(local);
  if (!response.Ok()) return RefusalOf(response, settings, model);
  if (partial.size_bytes() != file.size_bytes) {
    return HubError("{}: the server sent {} of the {} bytes it announced", file.url,
                    partial.size_bytes(), file.size_bytes);
  }
  return {};
}

Status CheckDigest(const PartialFile& partial, const RemoteFile& file) {
  ASSIGN_OR_RETURN(const std::string digest, Sha256OfFile(partial.path()));
  if (digest == file.etag) return {};
  std::error_code ignored;
  fs::remove(partial.path(), ignored);
  return HubError(
      "{}: what arrived is damaged (SHA-256 {} instead of {}) and was deleted; try again", file.url,
      digest, file.etag);
}

}  // namespace

Status DownloadBlob(HttpClient& http, const HubSettings& settings, const ModelRevision& model,
                    const RemoteFile& file, const ModelCache& cache, const BlobProgress& progress) {
  ASSIGN_OR_RETURN(const FileDescriptor lock, cache.LockBlob(file.etag));
  if (cache.HasBlob(file.etag, file.size_bytes)) {
    progress(file.size_bytes);
    return {};
  }

  const std::string blob = cache.BlobPath(file.etag);
  ASSIGN_OR_RETURN(PartialFile partial, PartialFile::Open(blob + ".incomplete"));
  if (partial.size_bytes() > file.size_bytes) RETURN_IF_ERROR(partial.Clear());
  if (partial.size_bytes() < file.size_bytes || !IsSha256(file.etag)) {
    RETURN_IF_ERROR(Fill(http, settings, model, file, partial, progress));
  }
  if (IsSha256(file.etag)) RETURN_IF_ERROR(CheckDigest(partial, file));
  return partial.Commit(blob);
}

}  // namespace embedding
