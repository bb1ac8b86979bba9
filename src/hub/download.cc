#include "hub/download.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "hub/blob_download.h"
#include "hub/file_selection.h"
#include "hub/http_client.h"
#include "hub/hub_api.h"
#include "hub/hub_settings.h"
#include "hub/model_cache.h"
#include "weights/model_error.h"
#include "weights/model_locator.h"

namespace embedding {
namespace {

constexpr char kModules[] = "modules.json";

// Better said at once than after an hour.
Status CheckSpace(const ModelCache& cache, const std::vector<RemoteFile>& files) {
  uint64_t needed_bytes = 0;
  for (const RemoteFile& file : files) {
    const std::string blob = cache.BlobPath(file.etag);
    if (cache.HasBlob(file.etag, file.size_bytes)) continue;
    std::error_code error;
    const uint64_t there_bytes = std::filesystem::file_size(blob + ".incomplete", error);
    needed_bytes += file.size_bytes - (error ? 0 : std::min(there_bytes, file.size_bytes));
  }
  const std::string directory = cache.BlobPath("");
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(directory, error);
  if (error || space.available >= needed_bytes) return {};
  return ModelError(
      "{}: the disk is too full: {} bytes are needed and {} are free; make room, or "
      "set HF_HUB_CACHE to a directory elsewhere",
      directory, needed_bytes, space.available);
}

}  // namespace

Result<std::string> DownloadModel(const std::string& id, const std::string& revision,
                                  const ProgressCallback& progress) {
  RETURN_IF_ERROR(CheckModelId(id));
  RETURN_IF_ERROR(CheckRevision(revision));
  ASSIGN_OR_RETURN(const HubSettings settings, ReadHubSettings());
  if (settings.offline) {
    Result<std::string> located = LocateModel(id, revision);
    if (!located.ok()) return std::move(located).error().At("HF_HUB_OFFLINE is set");
    return located;
  }

  ASSIGN_OR_RETURN(HttpClient http, HttpClient::Create(settings));
  const ModelRevision model{id, revision};
  ASSIGN_OR_RETURN(const Repository repository, ListRepository(http, settings, model));
  Result<std::vector<std::string>> names = SelectModelFiles(repository.names);
  if (!names.ok()) return std::move(names).error().At(id);

  const ModelCache cache(id);
  RETURN_IF_ERROR(cache.Prepare());
  std::vector<RemoteFile> files;
  for (const std::string& name : *names) {
    // A commit's files never change: what is there is right.
    if (cache.HasFile(repository.commit, name)) continue;
    ASSIGN_OR_RETURN(RemoteFile file, ResolveFile(http, settings, model, repository.commit, name));
    files.push_back(std::move(file));
  }
  RETURN_IF_ERROR(CheckSpace(cache, files));

  DownloadProgress all;
  for (const RemoteFile& file : files) all.total_bytes += file.size_bytes;
  uint64_t before_bytes = 0;
  for (const RemoteFile& file : files) {
    const auto report = [&](uint64_t bytes) {
      all.file = file.name;
      all.done_bytes = before_bytes + bytes;
      if (progress) progress(all);
    };
    RETURN_IF_ERROR(DownloadBlob(http, settings, model, file, cache, report));
    RETURN_IF_ERROR(cache.LinkFile(repository.commit, file.name, file.etag));
    before_bytes += file.size_bytes;
  }
  if (std::find(names->begin(), names->end(), kModules) == names->end()) {
    RETURN_IF_ERROR(cache.NoteAbsence(repository.commit, kModules));
  }
  // Last, so that the revision leads to nothing that is not whole.
  RETURN_IF_ERROR(cache.WriteRef(revision, repository.commit));
  return cache.SnapshotPath(repository.commit);
}

Result<std::string> LocateOrDownloadModel(const std::string& id_or_directory,
                                          const std::string& revision,
                                          const ProgressCallback& progress) {
  Result<std::string> located = LocateModel(id_or_directory, revision);
  if (!CheckModelId(id_or_directory).ok()) return located;
  if (!located.ok()) {
    Result<std::string> downloaded = DownloadModel(id_or_directory, revision, progress);
    if (downloaded.ok()) return downloaded;
    return std::move(downloaded)
        .error()
        .At("there is no directory " + id_or_directory + " here, and as a model of the hub");
  }

  const ModelCache cache(id_or_directory);
  const std::string commit = std::filesystem::path(*located).filename().string();
  if (*located != cache.SnapshotPath(commit) || cache.HasFile(commit, kModules) ||
      cache.IsAbsent(commit, kModules)) {
    return located;
  }
  Result<std::string> completed = DownloadModel(id_or_directory, commit, progress);
  return completed.ok() ? completed : located;
}

}  // namespace embedding
