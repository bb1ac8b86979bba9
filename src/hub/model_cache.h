// ModelCache: writing to one model's part of the hub cache, in the layout and under the locks of
// Python's huggingface_hub (hub/model_locator.h has the picture).
//
// Whatever becomes visible under its final name is whole: blobs, links and refs are made beside it
// and renamed. So a reader needs no lock, and a process that dies leaves nothing that misleads.
//
// Thread-safety: immutable; any thread and any process may use it at once. Locks are per blob.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "hub/file_descriptor.h"

namespace embedding {

class ModelCache {
 public:
  // The id has to be valid.
  explicit ModelCache(std::string_view id);

  // <model>/snapshots/<commit>
  std::string SnapshotPath(std::string_view commit) const;
  // <model>/blobs/<etag>
  std::string BlobPath(std::string_view etag) const;

  // Whether the file is in the snapshot, whole.
  bool HasFile(const std::string& commit, const std::string& name) const;
  // Whether the blob is there with that size.
  bool HasBlob(const std::string& etag, uint64_t size_bytes) const;

  // Makes the directories that blobs are written to.
  Status Prepare() const;
  // Waits until no other process writes this blob, and keeps others out until the result is gone.
  Result<FileDescriptor> LockBlob(const std::string& etag) const;
  // Puts a file into the snapshot: a relative link to its blob.
  Status LinkFile(const std::string& commit, const std::string& name,
                  const std::string& etag) const;
  // Notes that the repository has no such file at this commit, and whether that was noted.
  Status NoteAbsence(const std::string& commit, const std::string& name) const;
  bool IsAbsent(const std::string& commit, const std::string& name) const;
  // Makes `revision` stand for `commit`. A commit needs no ref: then it does nothing.
  Status WriteRef(const std::string& revision, const std::string& commit) const;

 private:
  std::string model_;  // <cache>/models--<org>--<name>
  std::string locks_;  // <cache>/.locks/models--<org>--<name>
};

// Errors: kDownload unless this can be a blob's name: letters, digits, '-', '_' and inner '.'.
Status CheckEtag(std::string_view etag);

}  // namespace embedding
