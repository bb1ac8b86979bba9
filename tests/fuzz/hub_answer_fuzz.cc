// What a hub, which may be anybody's, answers: listings of files, heads of answers; and the names
// that users give. The first byte says which of them the rest is.
#include <algorithm>
#include <filesystem>
#include <string>

#include "fuzz/check.h"
#include "hub/file_selection.h"
#include "hub/hub_api.h"
#include "hub/model_cache.h"
#include "hub/model_locator.h"
#include "hub/model_names.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;

// Whether `path`, once "." and ".." are resolved, is below `directory`, and names what the system
// would open too.
bool IsBelow(const fs::path& path, const fs::path& directory) {
  const fs::path inside = path.lexically_normal().lexically_relative(directory.lexically_normal());
  return path.string().find('\0') == std::string::npos && !inside.empty() && inside != "." &&
         *inside.begin() != "..";
}

void CheckListing(std::string_view text) {
  const Result<Repository> repository = ParseListing(text);
  if (!repository.ok()) return CheckModelError(repository.error(), ErrorCode::kDownload);
  FUZZ_CHECK(IsCommitHash(repository->commit));
  const auto& names = repository->names;
  const Result<std::vector<std::string>> chosen = SelectModelFiles(names);
  if (!chosen.ok()) {  // it has what no repository has, or no model
    const bool is_hubs = chosen.error().code == ErrorCode::kDownload;
    return CheckModelError(chosen.error(), is_hubs ? ErrorCode::kDownload : ErrorCode::kModelLoad);
  }
  const fs::path snapshot = ModelCache("org/name").SnapshotPath(repository->commit);
  FUZZ_CHECK(IsBelow(snapshot, HubModelDirectory("org/name")));
  for (const std::string& name : *chosen) {
    FUZZ_CHECK(std::find(names.begin(), names.end(), name) != names.end());
    FUZZ_CHECK(std::count(chosen->begin(), chosen->end(), name) == 1);
    FUZZ_CHECK(IsBelow(snapshot / name, snapshot));
    FUZZ_CHECK(std::count(name.begin(), name.end(), '/') <= 2);  // a module's in a Router's folder
    // It becomes a part of a URL as it is.
    for (const char c : name) FUZZ_CHECK(c == '/' || UrlEscaped({&c, 1}).size() == 1);
  }
}

void CheckHead(std::string_view lines) {
  HttpResponse head;
  head.status = 200;
  while (!lines.empty()) head.AddHeadLine(TakePart(lines, '\n'));
  const Result<RemoteFile> file =
      ParseFileHead(head, {.name = "a", .url = "https://hub/a", .etag = ""});
  CheckModelError(RefusalOf(head, {.endpoint = "https://hub"}, {"org/name", "main"}),
                  ErrorCode::kDownload);
  if (!file.ok()) return CheckModelError(file.error(), ErrorCode::kDownload);
  const ModelCache cache("org/name");
  const fs::path blob = cache.BlobPath(file->etag);
  FUZZ_CHECK(IsBelow(blob, fs::path(HubModelDirectory("org/name")) / "blobs"));
  FUZZ_CHECK(blob.filename() == file->etag);
  FUZZ_CHECK(file->size_bytes <= UINT64_MAX >> 19);  // as many may be listed, and are added up
}

void CheckNames(std::string_view text) {
  const fs::path cache = fs::path(HubModelDirectory("org/name")).parent_path();
  if (CheckModelId(text).ok()) {
    const fs::path model = HubModelDirectory(text);
    FUZZ_CHECK(IsBelow(model, cache) && model.parent_path() == cache);
  }
  if (CheckRevision(text).ok()) FUZZ_CHECK(IsBelow(cache / "refs" / text, cache / "refs"));
  for (const char c : UrlEscaped(text)) FUZZ_CHECK(c > ' ' && c < 0x7F && c != '/');
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  if (size == 0) return 0;
  const std::string_view rest = AsString(data + 1, size - 1);
  switch (data[0]) {
    case 'l':
      CheckListing(rest);
      break;
    case 'h':
      CheckHead(rest);
      break;
    default:
      CheckNames(rest);
  }
  return 0;
}
