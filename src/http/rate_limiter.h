// RateLimiter: how many requests, and how many tokens, each client may have a second.
//
// A client is a key, or where no key was sent an address, of IPv6 a /64 (ClientIdentity::id). Each
// has a bucket (token_bucket.h) of requests and one of tokens.
//
// A request is let through when there is a request to take and the tokens are not used up. How many
// tokens it has nobody knows before its texts are read: it pays for them when it is answered, with
// a debt if there were fewer, and while there is a debt no further request is let through. So what
// is let through is never taken back, a request of more tokens than the bucket holds is answered
// once the bucket has anything, and over time nobody gets more than the rate; but requests that a
// client sends at the same time are all let through on the same last tokens, and then waited for. A
// request that fails, or whose texts are all refused, costs no tokens.
//
// How many addresses are known at a time is bounded: beyond kMaxAddresses those that have asked
// longest ago are forgotten, and start with full buckets when they come again. Keys are not
// forgotten for addresses.
//
// Thread-safety: all of it, from any thread.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/mutex.h"
#include "http/handler.h"
#include "http/refusal.h"
#include "http/token_bucket.h"

namespace embedding::http {

// A second; 0 is no limit.
struct Rates {
  uint64_t requests = 0;
  uint64_t tokens = 0;
};

struct RateLimits {
  Rates each;                                 // client's
  std::map<std::string, Rates> of_keys = {};  // in place of those, by the key's name
  uint64_t burst_seconds = 1;                 // of the rates, that a client may take at once
};

// The largest rate. With it and the longest burst all of a bucket still fits.
inline constexpr uint64_t kMostPerSecond = 10'000'000;
inline constexpr uint64_t kMostBurstSeconds = 100;

// Where a client stands with the limit that stops it first.
struct Standing {
  bool limited = false;  // whether there is any limit for it; if not, nothing else is said
  bool let_through = true;
  std::string_view of = {};  // "requests" or "tokens"
  uint64_t limit = 0;        // what its bucket holds
  uint64_t remaining = 0;
  uint64_t reset_seconds = 0;  // until the bucket is full, rounded up
  uint64_t retry_seconds =
      0;  // until a request would be let through, rounded up; at least 1 if not
};

class RateLimiter {
 public:
  using Time = TokenBucket::Time;
  static constexpr size_t kMaxAddresses = 65'536;  // some 16 MB
  static constexpr size_t kMaxKeys = 65'536;       // more than there are

  explicit RateLimiter(RateLimits limits, size_t max_addresses = kMaxAddresses);

  // From here on these are the limits. Clients keep what they have, as far as their buckets hold
  // it.
  void Replace(RateLimits limits) EXCLUDES(mutex_);

  // Whether anybody has a limit.
  bool any() const { return any_; }

  // A request of the client's. Throws std::bad_alloc.
  Standing Ask(const ClientIdentity& client, Time now) EXCLUDES(mutex_);
  // It has been answered, and had so many tokens. Throws std::bad_alloc.
  Standing Pay(const ClientIdentity& client, size_t tokens, Time now) EXCLUDES(mutex_);

  // Addresses that are known.
  size_t addresses() const EXCLUDES(mutex_);

 private:
  struct Buckets {
    std::string id;
    TokenBucket requests;
    TokenBucket tokens;
  };
  // Those of as many clients as it may have, the last that was asked for first.
  class Table {
   public:
    explicit Table(size_t most) : most_(most) {}
    Buckets& Of(const std::string& id, const TokenBucket::Size& requests,
                const TokenBucket::Size& tokens, Time now);
    size_t size() const { return places_.size(); }

   private:
    size_t most_;
    std::list<Buckets> buckets_;
    std::unordered_map<std::string_view, std::list<Buckets>::iterator> places_;  // ids lie in those
  };

  // What both calls do: `use` may take of the two buckets, and gives whether the request is let
  // through.
  template <typename Use>
  Standing With(const ClientIdentity& client, Time now, Use use) EXCLUDES(mutex_);

  std::atomic<bool> any_ = false;
  mutable Mutex mutex_;
  RateLimits limits_ GUARDED_BY(mutex_);
  Table keys_ GUARDED_BY(mutex_){kMaxKeys};
  Table addresses_ GUARDED_BY(mutex_);
};

using Now = std::function<RateLimiter::Time()>;
// Told of each request that a limit of "requests" or "tokens" has refused.
using OnLimited = std::function<void(const ClientIdentity& client, std::string_view of)>;

// Refuses (429) what is beyond its client's limits, and tells on every other answer too where the
// client stands: RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset (draft-ietf-httpapi-
// ratelimit-headers-03). Of two limits these are about the one that would stop the client first.
// `limiter` must outlive the handlers.
Middleware LimitRate(RateLimiter& limiter, Now now, OnLimited on_limited, WordRefusal word);

}  // namespace embedding::http
