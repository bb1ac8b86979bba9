// MappedFile: a whole file mapped read-only into memory.
//
// The pages are the page cache's own: nothing is copied, and what is never touched is never read.
// Hence whoever writes into the file changes what is read here, and whoever truncates it makes
// reads past its new end fatal (SIGBUS), as for every user of mmap; see Unchanged and
// SurviveTruncation. Replacing the file (a new one of the same name) does no harm.
// Thread-safety: immutable after Open; any thread may read.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"

namespace embedding {

class MappedFile {
 public:
  // Errors: kModelLoad with the path and the system's reason. An empty file maps to no bytes.
  static Result<MappedFile> Open(const std::string& path);

  // From here on reads past the end of a truncated file give zeros, in this whole process, and the
  // file is no longer Unchanged. Takes the signal SIGBUS; one that no mapped file is the cause of
  // still ends the process.
  static void SurviveTruncation();

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }
  const std::string& path() const { return path_; }

  // Whether the file is as it was opened, by its size and the time of its last change: one system
  // call. Errors: kUnavailable naming the file.
  Status Unchanged() const;

 private:
  MappedFile(std::string path, int fd, const struct stat& opened, const std::byte* data);

  std::string path_;
  int fd_ = -1;
  struct stat opened_ = {};
  const std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace embedding
