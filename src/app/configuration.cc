#include "app/configuration.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "api/routes.h"
#include "app/access.h"
#include "app/cache.h"
#include "app/instance.h"
#include "base/quoted.h"
#include "http/client_address.h"
#include "http/cors.h"

namespace embedding::app {
namespace {

// Of a body for each of the most texts that a request may have: 4,000 characters, in which
// splitters of documents cut them, as \uXXXX. Whoever gives a number beyond all lists does not ask
// for bodies beyond all memory.
constexpr size_t kBytesPerText = 24'000;
constexpr size_t kDefaultBody = kBytesPerText * static_cast<size_t>(api::TextLimit::kOpenAi);
constexpr size_t kLargestDefaultBody = 200'000'000;
// Bodies in hand together, where one may be larger than by default: a few of the largest.
constexpr size_t kLargeBodies = 3;

template <typename... Args>
Error Wrong(fmt::format_string<Args...> format, Args&&... args) {
  return {ErrorCode::kInvalidArgument, fmt::format(format, std::forward<Args>(args)...), {}};
}

// Requests name a model by what answers call it.
Status CheckNames(const std::vector<std::string>& models) {
  std::map<std::string, std::string> by_name;
  for (const std::string& model : models) {
    const auto [known, is_new] = by_name.emplace(DisplayName(model), model);
    if (is_new) continue;
    return Wrong(
        "--model: {} and {} would both be called {}; give each once, and rename one of two "
        "directories of one name",
        Quoted(known->second), Quoted(model), Quoted(known->first));
  }
  return {};
}

Status CheckModels(const std::vector<std::string>& given) {
  std::set<std::string> models;
  for (const std::string& model : given) {
    if (models.insert(model).second) continue;
    return Wrong("--model: expected each model once, got {} twice", Quoted(model));
  }
  return {};
}

Status CheckOrigins(const std::vector<std::string>& origins) {
  for (const std::string& origin : origins) {
    if (http::IsOrigin(origin)) continue;
    return Wrong(
        "--cors-origin: expected * or an origin as browsers send it, in lower case and without a "
        "path, as https://example.com or http://localhost:3000, got {}",
        Quoted(origin));
  }
  return {};
}

Status CheckTls(const http::TlsFiles& files) {
  if (files.certificate.empty() == files.key.empty()) return {};
  return files.key.empty() ? Wrong("--tls-certificate: needs the key of the certificate, --tls-key")
                           : Wrong("--tls-key: needs its certificate, --tls-certificate");
}

Status CheckOpenRoutes(const std::vector<std::string>& names) {
  const bool none = std::find(names.begin(), names.end(), "none") != names.end();
  if (!none || names.size() == 1) return {};
  return Wrong("--open-routes: none stands alone, and was given beside others");
}

Status AddProxies(const std::vector<std::string>& given, http::TrustedProxies& proxies) {
  proxies = {};
  for (const std::string& proxy : given) {
    if (proxies.Add(proxy)) continue;
    return Wrong(
        "--trusted-proxy: expected an address as 192.0.2.1 or 2001:db8::1, a range as 10.0.0.0/8 "
        "or "
        "fd00::/8, or unix, got {}",
        Quoted(proxy));
  }
  return {};
}

}  // namespace

Status Complete(Configuration& options) {
  RETURN_IF_ERROR(CheckModels(options.models));
  RETURN_IF_ERROR(CheckOrigins(options.service.cors_origins));
  RETURN_IF_ERROR(CheckTls(options.server.tls));
  RETURN_IF_ERROR(CheckOpenRoutes(options.service.open_routes));
  RETURN_IF_ERROR(AddProxies(options.trusted_proxies, options.service.trusted_proxies));
  RETURN_IF_ERROR(CheckCaches(options.cache));
  const std::optional<size_t>& batch = options.service.max_client_batch_size;
  if (batch && options.max_queue && *batch > *options.max_queue) {
    return Wrong(
        "--max-client-batch-size: expected at most the {} texts of --max-queue, got {}; a request "
        "of more texts than may wait could never be answered",
        *options.max_queue, *batch);
  }
  const size_t most_texts = batch.value_or(0);
  options.engine.max_queue =
      options.max_queue.value_or(std::max(options.engine.max_queue, 2 * most_texts));
  const size_t largest_body = options.payload_limit_bytes.value_or(
      std::clamp(kBytesPerText * most_texts, kDefaultBody, kLargestDefaultBody));
  options.server.payload_limit_bytes = largest_body;
  if (largest_body > kDefaultBody) options.server.bodies_limit_bytes = kLargeBodies * largest_body;
  options.service.max_queue = options.engine.max_queue;
  // A body of nothing but numbers takes 12 times itself.
  options.service.reading_limit_bytes = 4 * options.server.bodies_limit_bytes;
  RETURN_IF_ERROR(CheckNames(options.models));
  RETURN_IF_ERROR(CheckDevice(options.engine.device.device));
  options.service.log_format =
      options.logging.format == "json" ? api::LogFormat::kJson : api::LogFormat::kText;
  // As others are told of it, whatever folder they are in.
  if (!options.server.unix_socket.empty()) {
    if (!options.server.tls.empty()) {
      return Wrong(
          "--unix-socket: TLS is for the network; leave out --tls-certificate and --tls-key");
    }
    options.server.unix_socket = std::filesystem::absolute(options.server.unix_socket).string();
  }
  if (!options.instance.empty())
    options.server.handover_path = OfferPath(options.instance, ::getpid());
  options.service.model_name = DisplayName(options.models.front());
  ASSIGN_OR_RETURN(Access access, ReadAccess(options));
  options.service.api_keys = std::move(access.keys);
  options.service.rate_limits = std::move(access.limits);
  return {};
}

std::vector<std::string> OpenRouteNames() { return api::OpenRouteNames(); }

std::string DisplayName(const std::string& model) {
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::canonical(model, error);
  return error ? model : directory.filename().string();
}

}  // namespace embedding::app
