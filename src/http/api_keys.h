// Who may ask: those who send one of the server's keys, as `X-API-Key: <key>` or
// `Authorization: Bearer <key>`.
//
// Of the keys only salted digests are kept. How long a wrong key takes tells nothing of the keys,
// nor of how long it is itself: every key is hashed in as many steps, up to the longest that can be
// right, and its digest is compared with all that there are, whether or not one was found.
//
// Thread-safety: ApiKeys from any thread; its keys may be replaced while requests are asked for
// theirs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "http/handler.h"
#include "http/refusal.h"

namespace embedding::http {

using KeyDigest = std::array<uint8_t, 32>;  // SHA-256

struct ApiKey {
  // Whose it is, in logs, limits and metrics; printable ASCII without spaces. Several keys may have
  // one name: whoever changes theirs has two for a while.
  std::string name;
  KeyDigest sha256{};
  // Of the key, where that is known; it may be longer than kKeyBytes then.
  std::optional<size_t> bytes = {};
};

// What keys of which only the digest is given must not be longer than.
inline constexpr size_t kKeyBytes = 1024;

ApiKey MakeApiKey(std::string name, std::string_view key);

// How many bytes are hashed for nothing beside those of a key of so many bytes, where the longest
// that can be right has `longest`: of each key `longest` are hashed together.
constexpr size_t FillerBytes(size_t key_bytes, size_t longest) {
  return key_bytes < longest ? longest - key_bytes : 0;
}

// The place of `wanted` among `digests`, or their number. Calls `equal`, which gives 1 or 0, for
// each of them, and does not branch on what it gives.
template <typename Equal>
size_t PlaceOf(const KeyDigest& wanted, std::span<const KeyDigest> digests, Equal equal) {
  size_t place = digests.size();
  for (size_t i = 0; i < digests.size(); ++i) {
    const size_t mask = ~static_cast<size_t>(equal(wanted, digests[i])) + 1;  // all ones or none
    place = (i & mask) | (place & ~mask);
  }
  return place;
}

class ApiKeys {
 public:
  explicit ApiKeys(const std::vector<ApiKey>& keys = {});
  ~ApiKeys();
  ApiKeys(const ApiKeys&) = delete;
  ApiKeys& operator=(const ApiKeys&) = delete;

  // From here on these are the keys. What is being asked for its key gets the answer of either.
  void Replace(const std::vector<ApiKey>& keys) EXCLUDES(mutex_);

  // Whether there are none, and everybody may ask.
  bool empty() const EXCLUDES(mutex_);

  // The name of the key, or "" if it is none of these.
  std::string NameOf(std::string_view key) const EXCLUDES(mutex_);

 private:
  struct Table;

  std::shared_ptr<const Table> table() const EXCLUDES(mutex_);

  mutable Mutex mutex_;
  std::shared_ptr<const Table> table_ GUARDED_BY(mutex_);
};

// Finds whose key a request has, and puts name and id into its client; nothing is refused.
Middleware FindClient(const ApiKeys& keys);

// Refuses (401) those in whose client FindClient has put no name. Everybody may ask where there are
// no keys. `keys` must outlive the handlers of both.
Middleware RequireKey(const ApiKeys& keys, WordRefusal word);

}  // namespace embedding::http
