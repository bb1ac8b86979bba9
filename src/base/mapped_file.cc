#include "base/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/truncation_guard.h"

namespace embedding {
namespace {

Error SystemError(const std::string& path, const char* what) {
  return {ErrorCode::kModelLoad, fmt::format("{}: {}: {}", path, what, std::strerror(errno)), {}};
}

const timespec& TimeOfChange(const struct stat& info) {
#ifdef __APPLE__
  return info.st_mtimespec;
#else
  return info.st_mtim;
#endif
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return SystemError(path, "cannot open");
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    if (!S_ISREG(info.st_mode)) errno = EINVAL;
    Error error = SystemError(path, "not a regular file");
    ::close(fd);
    return error;
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* data = nullptr;
  if (size > 0) {
    data = ::mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
    if (data == MAP_FAILED) {
      Error error = SystemError(path, "cannot map");
      ::close(fd);
      return error;
    }
  }
  return MappedFile(path, fd, info, static_cast<const std::byte*>(data));
}

void MappedFile::SurviveTruncation() { TruncationGuard::Install(); }

MappedFile::MappedFile(std::string path, int fd, const struct stat& opened, const std::byte* data)
    : path_(std::move(path)),
      fd_(fd),
      opened_(opened),
      data_(data),
      size_bytes_(static_cast<size_t>(opened.st_size)) {
  TruncationGuard::Add(data_, size_bytes_);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      opened_(other.opened_),
      data_(std::exchange(other.data_, nullptr)),
      size_bytes_(std::exchange(other.size_bytes_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(opened_, other.opened_);
  std::swap(data_, other.data_);
  std::swap(size_bytes_, other.size_bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    TruncationGuard::Remove(data_);
    ::munmap(const_cast<std::byte*>(data_), size_bytes_);
  }
  if (fd_ >= 0) ::close(fd_);
}

Status MappedFile::Unchanged() const {
  struct stat now {};
  const bool same = ::fstat(fd_, &now) == 0 && now.st_size == opened_.st_size &&
                    TimeOfChange(now).tv_sec == TimeOfChange(opened_).tv_sec &&
                    TimeOfChange(now).tv_nsec == TimeOfChange(opened_).tv_nsec &&
                    !TruncationGuard::HasFilled(data_);
  if (same) return {};
  return Error{ErrorCode::kUnavailable,
               fmt::format("{} was changed while it was in use; restart the server, and replace "
                           "files instead of writing into them",
                           path_),
               {}};
}

}  // namespace embedding
