#include "hub/download.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include "hub/blob_download.h"
#include "hub/file_selection.h"
#include "hub/http_client.h"
#include "hub/hub_api.h"
#include "hub/hub_error.h"
#include "hub/hub_settings.h"
#include "hub/model_cache.h"
#include "hub/model_locator.h"
#include "hub/model_names.h"
#include "model/file_formats.h"
#include "model/module_list.h"

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
  return HubError(
      "{}: the disk is too full: {} bytes are needed and {} are free; make room, or "
      "set HF_HUB_CACHE to a directory elsewhere",
      directory, needed_bytes, space.available);
}

// The id that a name stands for: the first that the hub has, or the likeliest if it has none.
std::string ChooseId(HttpClient& http, const HubSettings& settings, const std::string& name,
                     const std::string& revision) {
  const std::vector<std::string> ids = HubIdsOf(name);
  if (ids.size() == 1) return name;
  const auto found = std::find_if(ids.begin(), ids.end(), [&](const std::string& id) {
    return MayHave(http, settings, {id, revision});
  });
  return found == ids.end() ? ids.front() : *found;
}

// The commit of a snapshot of the cache, and the model that it is of; or nothing, if the directory
// is none.
struct Snapshot {
  std::string id;
  std::string commit;
};
std::optional<Snapshot> SnapshotAt(const std::string& directory, const std::string& name) {
  std::vector<std::string> ids = HubIdsOf(name);
  ids.push_back(name);
  const std::string commit = std::filesystem::path(directory).filename().string();
  for (const std::string& id : ids) {
    if (directory == ModelCache(id).SnapshotPath(commit)) return Snapshot{id, commit};
  }
  return {};
}

// The list of the snapshot's modules and, if that is there, the configuration of each that has a
// folder: what other tools may have left out.
std::vector<std::string> FilesOfModules(const ModelCache& cache, const std::string& commit) {
  std::vector<std::string> files = {kModules};
  if (!cache.HasFile(commit, kModules)) return files;
  const std::filesystem::path snapshot = cache.SnapshotPath(commit);
  const auto modules = ReadModuleList((snapshot / kModules).string());
  if (!modules.ok()) return files;  // which is the loader's to refuse
  for (const ModuleEntry& module : *modules) {
    constexpr std::array<std::string_view, 4> kWithout = {"Normalize", "StaticEmbedding", "Router",
                                                          "Asym"};
    const bool is_without =
        std::find(kWithout.begin(), kWithout.end(), module.kind) != kWithout.end();
    if (is_without || !IsModuleFolder(module.path)) continue;
    files.push_back(module.path + "/config.json");
  }
  return files;
}

// Whether each of them is there, or known not to be in the repository.
bool HasItsModules(const ModelCache& cache, const std::string& commit) {
  const std::vector<std::string> files = FilesOfModules(cache, commit);
  return std::all_of(files.begin(), files.end(), [&](const std::string& file) {
    return cache.HasFile(commit, file) || cache.IsAbsent(commit, file);
  });
}

}  // namespace

Result<std::string> DownloadModel(const std::string& name, const std::string& revision,
                                  const ProgressCallback& progress) {
  RETURN_IF_ERROR(CheckModelId(name));
  RETURN_IF_ERROR(CheckRevision(revision));
  ASSIGN_OR_RETURN(const HubSettings settings, ReadHubSettings());
  if (!settings.offline_by.empty()) {
    Result<std::string> located = LocateModel(name, revision);
    if (!located.ok()) return std::move(located).error().At(settings.offline_by + " is set");
    return located;
  }

  ASSIGN_OR_RETURN(HttpClient http, HttpClient::Create(settings));
  spdlog::info("asking {} for {}", settings.endpoint, name);
  const ModelRevision model{ChooseId(http, settings, name, revision), revision};
  ASSIGN_OR_RETURN(const Repository repository, ListRepository(http, settings, model));
  Result<std::vector<std::string>> names = SelectModelFiles(repository.names);
  if (!names.ok()) return std::move(names).error().At(model.id);

  const ModelCache cache(model.id);
  RETURN_IF_ERROR(cache.Prepare());
  std::vector<RemoteFile> files;
  for (const std::string& wanted : *names) {
    // A commit's files never change: what is there is right.
    if (cache.HasFile(repository.commit, wanted)) continue;
    ASSIGN_OR_RETURN(RemoteFile file,
                     ResolveFile(http, settings, model, repository.commit, wanted));
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
  // So that nobody asks for them again.
  for (const std::string& file : FilesOfModules(cache, repository.commit)) {
    if (cache.HasFile(repository.commit, file)) continue;
    RETURN_IF_ERROR(cache.NoteAbsence(repository.commit, file));
  }
  // Last, so that the revision leads to nothing that is not whole.
  RETURN_IF_ERROR(cache.WriteRef(revision, repository.commit));
  return cache.SnapshotPath(repository.commit);
}

Result<std::string> LocateOrDownloadModel(const std::string& name_or_directory,
                                          const std::string& revision,
                                          const ProgressCallback& progress) {
  Result<std::string> located = LocateModel(name_or_directory, revision);
  // What is there, or can only be meant as a path, is nothing to ask the hub for.
  if (!CheckModelId(name_or_directory).ok() || IsPath(name_or_directory)) return located;
  if (!located.ok()) {
    Result<std::string> downloaded = DownloadModel(name_or_directory, revision, progress);
    if (downloaded.ok()) return downloaded;
    return std::move(downloaded)
        .error()
        .At("there is no directory " + name_or_directory + " here, and as a model of the hub");
  }

  const std::optional<Snapshot> snapshot = SnapshotAt(*located, name_or_directory);
  if (!snapshot) return located;
  if (HasItsModules(ModelCache(snapshot->id), snapshot->commit)) return located;
  Result<std::string> completed = DownloadModel(snapshot->id, snapshot->commit, progress);
  return completed.ok() ? completed : located;
}

}  // namespace embedding
