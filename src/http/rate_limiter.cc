#include "http/rate_limiter.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace embedding::http {
namespace {

uint64_t WholeSeconds(TokenBucket::Nanoseconds duration) {
  return static_cast<uint64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count());
}

bool HasLimit(const Rates& rates) { return rates.requests > 0 || rates.tokens > 0; }

void Set(std::vector<Header>& headers, const char* name, std::string value) {
  const auto known = std::find_if(headers.begin(), headers.end(),
                                  [&](const Header& header) { return header.name == name; });
  if (known != headers.end()) {
    known->value = std::move(value);
  } else {
    headers.push_back({name, std::move(value)});
  }
}

void Tell(const Standing& standing, Response& response) {
  Set(response.headers, "RateLimit-Limit", std::to_string(standing.limit));
  Set(response.headers, "RateLimit-Remaining", std::to_string(standing.remaining));
  Set(response.headers, "RateLimit-Reset", std::to_string(standing.reset_seconds));
}

Refusal TooMany(const Standing& standing, const ClientIdentity& client) {
  return {
      StatusCode::kTooManyRequests,
      fmt::format("the rate limit of {} of this {} is used up: {} may be had at once; try again "
                  "in {} s",
                  standing.of, client.key_name.empty() ? "address" : "key", standing.limit,
                  standing.retry_seconds)};
}

}  // namespace

RateLimiter::RateLimiter(RateLimits limits, size_t max_addresses) : addresses_(max_addresses) {
  Replace(std::move(limits));
}

void RateLimiter::Replace(RateLimits limits) {
  const MutexLock lock(mutex_);
  limits_ = std::move(limits);
  any_ = HasLimit(limits_.each) ||
         std::any_of(limits_.of_keys.begin(), limits_.of_keys.end(),
                     [](const auto& of_key) { return HasLimit(of_key.second); });
}

RateLimiter::Buckets& RateLimiter::Table::Of(const std::string& id,
                                             const TokenBucket::Size& requests,
                                             const TokenBucket::Size& tokens, Time now) {
  if (const auto known = places_.find(id); known != places_.end()) {
    buckets_.splice(buckets_.begin(), buckets_, known->second);
  } else {
    buckets_.push_front({id, TokenBucket(requests, now), TokenBucket(tokens, now)});
    try {
      places_.emplace(buckets_.front().id, buckets_.begin());
    } catch (...) {
      buckets_.pop_front();
      throw;
    }
    if (buckets_.size() > most_) {
      places_.erase(buckets_.back().id);
      buckets_.pop_back();
    }
  }
  return buckets_.front();
}

template <typename Use>
Standing RateLimiter::With(const ClientIdentity& client, Time now, Use use) {
  const MutexLock lock(mutex_);
  const bool has_key = !client.key_name.empty();
  const auto of_key = has_key ? limits_.of_keys.find(client.key_name) : limits_.of_keys.end();
  const Rates& rates = of_key == limits_.of_keys.end() ? limits_.each : of_key->second;
  if (!HasLimit(rates)) return {};
  const TokenBucket::Size requests = {rates.requests, limits_.burst_seconds};
  const TokenBucket::Size tokens = {rates.tokens, limits_.burst_seconds};
  Buckets& buckets = (has_key ? keys_ : addresses_).Of(client.id, requests, tokens, now);
  // nullptr for what has no limit.
  TokenBucket* const of_requests = rates.requests > 0 ? &buckets.requests : nullptr;
  TokenBucket* const of_tokens = rates.tokens > 0 ? &buckets.tokens : nullptr;
  if (of_requests != nullptr) of_requests->Fill(requests, now);
  if (of_tokens != nullptr) of_tokens->Fill(tokens, now);
  Standing standing{.limited = true, .let_through = use(of_requests, of_tokens)};
  const auto look = [&](std::string_view of, const TokenBucket* bucket,
                        const TokenBucket::Size& size, uint64_t units) {
    if (bucket == nullptr) return;
    const uint64_t retry = bucket->Has(units) ? 0 : WholeSeconds(bucket->WaitFor(size, units));
    const bool is_first = standing.of.empty();
    // Of two that wait the longer one; else the one of which the smaller part is left.
    const bool is_nearer = retry != standing.retry_seconds ? retry > standing.retry_seconds
                                                           : bucket->left() * standing.limit <
                                                                 standing.remaining * size.units();
    if (!is_first && !is_nearer) return;
    standing.of = of;
    standing.limit = size.units();
    standing.remaining = bucket->left();
    standing.reset_seconds = WholeSeconds(bucket->WaitUntilFull(size));
    standing.retry_seconds = retry;
  };
  look("requests", of_requests, requests, 1);
  look("tokens", of_tokens, tokens, 0);
  return standing;
}

Standing RateLimiter::Ask(const ClientIdentity& client, Time now) {
  return With(client, now, [](TokenBucket* requests, TokenBucket* tokens) {
    const bool let_through =
        (requests == nullptr || requests->Has(1)) && (tokens == nullptr || tokens->Has(0));
    if (let_through && requests != nullptr) requests->Take(1);
    return let_through;
  });
}

Standing RateLimiter::Pay(const ClientIdentity& client, size_t paid, Time now) {
  return With(client, now, [paid](TokenBucket* /*requests*/, TokenBucket* tokens) {
    if (tokens != nullptr) tokens->Take(paid);
    return true;
  });
}

size_t RateLimiter::addresses() const {
  const MutexLock lock(mutex_);
  return addresses_.size();
}

Middleware LimitRate(RateLimiter& limiter, Now now, OnLimited on_limited, WordRefusal word) {
  return [&limiter, now = std::move(now), on_limited = std::move(on_limited),
          word = std::move(word)](Handler next) -> Handler {
    return [&limiter, now, on_limited, word, next = std::move(next)](Request request,
                                                                     Responder responder) {
      if (!limiter.any()) return next(std::move(request), std::move(responder));
      const Standing standing = limiter.Ask(request.client, now());
      if (!standing.limited) return next(std::move(request), std::move(responder));
      if (!standing.let_through) {
        on_limited(request.client, standing.of);
        Response response = word(TooMany(standing, request.client), request);
        Set(response.headers, "Retry-After", std::to_string(standing.retry_seconds));
        Tell(standing, response);
        return responder.Answer(std::move(response));
      }
      auto pay = [&limiter, now, client = request.client](Response& response) {
        const Standing paid = limiter.Pay(client, response.cost.tokens, now());
        if (paid.limited) Tell(paid, response);
      };
      next(std::move(request), std::move(responder).Changing(std::move(pay)));
    };
  };
}

}  // namespace embedding::http
