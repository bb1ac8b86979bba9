#include "hub/hub_api.h"

#include <charconv>

#include "base/json_value.h"
#include "hub/hub_error.h"
#include "hub/model_cache.h"
#include "hub/model_locator.h"

namespace embedding {
namespace {

// Repositories of thousands of files have a listing of a few hundred kilobytes.
constexpr size_t kMaxListingBytes = size_t{16} << 20;
// Below this the sizes of all files of a listing can be added up.
constexpr uint64_t kMaxFileBytes = uint64_t{1} << 44;
constexpr char kLinkedEtag[] = "x-linked-etag";  // of a file that is kept elsewhere

// The ETag of `header` without the marks around it: W/"abc" -> abc.
std::string PlainEtag(std::string_view header) {
  if (header.starts_with("W/")) header.remove_prefix(2);
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') {
    header.remove_prefix(1);
    header.remove_suffix(1);
  }
  return std::string(header);
}

std::string ListingUrl(const HubSettings& settings, const ModelRevision& model) {
  return fmt::format("{}/api/models/{}/revision/{}", settings.endpoint, model.id,
                     UrlEscaped(model.revision));
}

}  // namespace

bool MayHave(HttpClient& http, const HubSettings& settings, const ModelRevision& model) {
  HttpRequest request;
  request.url = ListingUrl(settings, model);
  const HttpResponse response = http.Send(request);
  const bool is_absent = (response.status == 401 || response.status == 404) &&
                         response.Header("x-error-code") != "GatedRepo" &&
                         response.Header("x-error-code") != "RevisionNotFound";
  return !response.problem.empty() || !is_absent;
}

Result<Repository> ParseListing(std::string_view text) {
  ASSIGN_OR_RETURN(const JsonValue listing,
                   JsonValue::Parse(text, "the listing", ErrorCode::kDownload));
  RETURN_IF_ERROR(listing.ExpectObject());
  Repository repository;
  ASSIGN_OR_RETURN(repository.commit, listing.String("sha"));
  if (!IsCommitHash(repository.commit)) return listing.Wrong("sha", "a commit hash");
  ASSIGN_OR_RETURN(const JsonValue siblings, listing.Field("siblings"));
  ASSIGN_OR_RETURN(const std::vector<JsonValue> files, siblings.Elements());
  for (const JsonValue& file : files) {
    ASSIGN_OR_RETURN(std::string name, file.String("rfilename"));
    repository.names.push_back(std::move(name));
  }
  return repository;
}

Result<RemoteFile> ParseFileHead(const HttpResponse& head, RemoteFile file) {
  const bool is_linked = head.headers.contains(kLinkedEtag);
  file.etag = PlainEtag(head.Header(is_linked ? kLinkedEtag : "etag"));
  Status etag = CheckEtag(file.etag);
  if (!etag.ok()) return std::move(etag).error().At(file.url);
  std::string size = head.Header("x-linked-size");
  if (size.empty() && head.Ok()) size = head.Header("content-length");
  const auto [stop, problem] =
      std::from_chars(size.data(), size.data() + size.size(), file.size_bytes);
  if (problem != std::errc() || stop != size.data() + size.size()) {
    return HubError("{}: the server does not say how large it is", file.url);
  }
  if (file.size_bytes > kMaxFileBytes) {
    return HubError("{}: the server says that it has {} bytes, which no file has", file.url,
                    file.size_bytes);
  }
  return file;
}

Error RefusalOf(const HttpResponse& response, const HubSettings& settings,
                const ModelRevision& model) {
  if (!response.problem.empty()) {
    return HubError(
        "{} cannot be reached or broke off: {}; check the network, a proxy and "
        "HF_ENDPOINT, and try again",
        settings.endpoint, Printable(response.problem, 300));
  }
  const std::string code = response.Header("x-error-code");
  const bool with_token = !settings.token.empty();
  switch (response.status) {
    case 401:
    case 403:
      if (code == "GatedRepo" || response.status == 403) {
        return HubError(
            "{} refuses access to {} ({}): accept its conditions at {}/{} and {}",
            settings.endpoint, model.id, response.status, settings.endpoint, model.id,
            with_token ? "see that your token may read it" : "set HF_TOKEN to a token of yours");
      }
      // The hub does not tell strangers whether a private repository exists.
      return HubError("{} has no model {}, or it is private or gated (401): {}", settings.endpoint,
                      model.id,
                      with_token ? "see that the id is right and that your token is valid"
                                 : "see that the id is right, or set HF_TOKEN");
    case 404:
      if (code == "RevisionNotFound") {
        return HubError("the model {} has no revision {}", model.id, model.revision);
      }
      if (code == "EntryNotFound") {
        return HubError("{} lists a file of {} that it does not have; try again", settings.endpoint,
                        model.id);
      }
      return HubError("{} has no model {} (404)", settings.endpoint, model.id);
    case 429:
      return HubError("{} gets too many requests from here (429): wait some minutes{}",
                      settings.endpoint, with_token ? "" : ", or set HF_TOKEN");
    default:
      return HubError("{} answers with status {} to a request for {}; try again later",
                      settings.endpoint, response.status, model.id);
  }
}

Result<Repository> ListRepository(HttpClient& http, const HubSettings& settings,
                                  const ModelRevision& model) {
  std::string body;
  bool too_long = false;
  HttpRequest request;
  request.url = ListingUrl(settings, model);
  request.sink = [&](const HttpResponse& /*head*/, std::string_view bytes) {
    too_long = body.size() + bytes.size() > kMaxListingBytes;
    if (!too_long) body += bytes;
    return !too_long;
  };
  const HttpResponse response = WithRetries(request.url, [&] {
    body.clear();
    return http.Send(request);
  });
  if (too_long) return HubError("{}: the listing of {} is endless", settings.endpoint, model.id);
  if (!response.Ok()) return RefusalOf(response, settings, model);

  Result<Repository> repository = ParseListing(body);
  if (!repository.ok()) {
    return std::move(repository)
        .error()
        .At(fmt::format("{} does not answer like the hub", settings.endpoint));
  }
  if (IsCommitHash(model.revision) && repository->commit != model.revision) {
    return HubError("{} gives commit {} of {} where {} was asked for", settings.endpoint,
                    repository->commit, model.id, model.revision);
  }
  return repository;
}

Result<RemoteFile> ResolveFile(HttpClient& http, const HubSettings& settings,
                               const ModelRevision& model, const std::string& commit,
                               const std::string& name) {
  RemoteFile file;
  file.name = name;
  file.url = fmt::format("{}/{}/resolve/{}/{}", settings.endpoint, model.id, commit, name);
  HttpRequest request;
  request.method = HttpRequest::Method::kHead;
  request.url = file.url;
  // A large file is elsewhere: then this answer redirects, and says what will be found there.
  request.stop_at_header = kLinkedEtag;
  const HttpResponse response = WithRetries(request.url, [&] { return http.Send(request); });
  const bool is_linked = response.headers.contains(kLinkedEtag);
  if (!response.Ok() && !(response.problem.empty() && is_linked && response.status < 400)) {
    return RefusalOf(response, settings, model);
  }

  return ParseFileHead(response, std::move(file));
}

}  // namespace embedding
