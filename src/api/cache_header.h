// The header that tells how many of a request's texts came from the cache: "x-cache: 99/100".
#pragma once

#include <charconv>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace embedding::api {

inline constexpr char kCacheHeader[] = "x-cache";

struct CacheHits {
  size_t hits = 0;
  size_t texts = 0;
};

inline std::string WriteCacheHits(const CacheHits& hits) {
  return std::to_string(hits.hits) + '/' + std::to_string(hits.texts);
}

// Adds what such a header says, which WriteCacheHits wrote, to `sum`.
inline void AddCacheHits(std::string_view header, std::optional<CacheHits>& sum) {
  CacheHits more;
  const char* const end = header.data() + header.size();
  const char* const slash = std::from_chars(header.data(), end, more.hits).ptr;
  std::from_chars(slash + 1, end, more.texts);
  sum = CacheHits{sum.value_or(CacheHits{}).hits + more.hits,
                  sum.value_or(CacheHits{}).texts + more.texts};
}

}  // namespace embedding::api
