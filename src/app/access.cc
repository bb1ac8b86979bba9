#include "app/access.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "app/key_file.h"

namespace embedding::app {

Result<Access> ReadAccess(const Configuration& configuration) {
  Access access;
  access.limits.each = configuration.rates;
  access.limits.burst_seconds = configuration.rate_limit_burst_seconds;
  for (const std::string& key : configuration.api_keys) {
    access.keys.push_back(http::MakeApiKey(fmt::format("key-{}", access.keys.size() + 1), key));
  }
  if (configuration.api_keys_file.empty()) return access;
  ASSIGN_OR_RETURN(KeyFile file, ReadKeyFile(configuration.api_keys_file, configuration.rates));
  for (http::ApiKey& key : file.keys) {
    const auto same = [&](const http::ApiKey& other) { return other.name == key.name; };
    const auto end = access.keys.begin() + static_cast<ptrdiff_t>(configuration.api_keys.size());
    if (std::any_of(access.keys.begin(), end, same)) {
      return Error{
          ErrorCode::kInvalidArgument,
          fmt::format("--api-keys-file: {} is what one of the keys of --api-key is called; "
                      "name it otherwise",
                      key.name),
          {}};
    }
    access.keys.push_back(std::move(key));
  }
  access.limits.of_keys = std::move(file.rates);
  return access;
}

}  // namespace embedding::app
