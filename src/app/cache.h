// The cache of embeddings that a configuration names.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "base/result.h"
#include "embedding/result_store.h"

namespace embedding::app {

// Whether a value of --cache is a size in bytes (65536, 64MB, 1GB, 512MiB, or 0 for none in memory)
// or a Redis' URL. Errors: kInvalidArgument, which reads on from the place of the value; never with
// a password in it.
Status CheckCache(const std::string& value);

// Whether values of --cache go together: one size and one Redis at most. Errors: kInvalidArgument.
Status CheckCaches(const std::vector<std::string>& values);

// How many threads the cache has of its own.
int ThreadsOfCache(const Configuration& configuration);

// What the values name: memory, with the default size beside a Redis, in front of Redis; or nullptr
// for none. Redis is connected to in the background. `askers` threads may ask at a time. Throws
// std::system_error.
std::shared_ptr<ResultStore> OpenCache(const Configuration& configuration, size_t askers);

}  // namespace embedding::app
