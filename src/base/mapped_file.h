// MappedFile: a whole file mapped read-only into memory.
//
// The pages are the page cache's own: nothing is copied, and what is never touched is never read.
// Thread-safety: immutable after Open; any thread may read. Truncating the file while it is mapped
// makes reads past its new end fatal (SIGBUS), as for every user of mmap.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "base/result.h"

namespace embedding {

class MappedFile {
 public:
  // Errors: kModelLoad with the path and the system's reason. An empty file maps to no bytes.
  static Result<MappedFile> Open(const std::string& path);

  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_bytes_}; }
  const std::string& path() const { return path_; }

 private:
  MappedFile(std::string path, const std::byte* data, size_t size_bytes)
      : path_(std::move(path)), data_(data), size_bytes_(size_bytes) {}

  std::string path_;
  const std::byte* data_ = nullptr;
  size_t size_bytes_ = 0;
};

}  // namespace embedding
