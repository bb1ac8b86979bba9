// The requests of the hub that downloading makes, and what their refusals mean.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "hub/http_client.h"
#include "hub/hub_settings.h"

namespace embedding {

// A model at a revision, as asked for.
struct ModelRevision {
  std::string id;
  std::string revision;
};

struct Repository {
  std::string commit;
  std::vector<std::string> names;  // of its files, as the server gives them: not to be trusted
};

struct RemoteFile {
  std::string name;
  std::string url;
  std::string etag;  // a blob's name; the contents' SHA-256 if they are kept as large files
  uint64_t size_bytes = 0;
};

// False if the hub says that it has no such model. It is asked once: a hub that does not answer may
// have it.
bool MayHave(HttpClient& http, const HubSettings& settings, const ModelRevision& model);

// Which commit a revision is, and its files. Errors: kDownload.
Result<Repository> ListRepository(HttpClient& http, const HubSettings& settings,
                                  const ModelRevision& model);

// Where and what a file is. Errors: kDownload.
Result<RemoteFile> ResolveFile(HttpClient& http, const HubSettings& settings,
                               const ModelRevision& model, const std::string& commit,
                               const std::string& name);

// What the hub says in answer to the first request, and to the second: the body of a listing, the
// head of an answer for the file at `file.url`. Both come from a server that may be anybody's.
// Errors: kDownload for what the hub does not say.
Result<Repository> ParseListing(std::string_view text);
Result<RemoteFile> ParseFileHead(const HttpResponse& head, RemoteFile file);

// What a response that is not Ok() means to who asked for `model`.
Error RefusalOf(const HttpResponse& response, const HubSettings& settings,
                const ModelRevision& model);

}  // namespace embedding
