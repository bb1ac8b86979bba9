#include "http/rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "http/ask.h"

namespace embedding::http {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Time = RateLimiter::Time;

ClientIdentity OfKey(const std::string& name) { return {.key_name = name, .id = "key:" + name}; }
ClientIdentity OfAddress(const std::string& address) { return {.address = address, .id = address}; }

TEST(TokenBucketTest, FillsExactlyHoweverOftenItIsAsked) {
  const TokenBucket::Size size = {.rate = 7, .burst = 1};
  const Time begin{};
  TokenBucket often(size, begin);
  TokenBucket seldom(size, begin);
  often.Take(7);
  seldom.Take(7);
  Time now = begin;
  std::mt19937 random(1);  // NOLINT: the same each time
  for (int i = 0; i < 10'000; ++i) {
    now += std::chrono::nanoseconds(random() % 97'000);
    often.Fill(size, now);
  }
  seldom.Fill(size, now);
  EXPECT_FALSE(seldom.full(size));
  EXPECT_EQ(often.WaitUntilFull(size), seldom.WaitUntilFull(size));
}

TEST(TokenBucketTest, KeepsWithinItsBounds) {
  const TokenBucket::Size size = {.rate = kMostPerSecond, .burst = kMostBurstSeconds};
  TokenBucket bucket(size, Time{});
  EXPECT_EQ(bucket.left(), 1'000'000'000U);
  for (int i = 0; i < 100; ++i) bucket.Take(SIZE_MAX);
  EXPECT_EQ(bucket.left(), 0U);
  bucket.Fill(size, Time{} + std::chrono::hours(24 * 365 * 100));
  EXPECT_TRUE(bucket.full(size));
  bucket.Fill(size, Time{});  // a clock that goes back gives nothing and takes nothing
  EXPECT_TRUE(bucket.full(size));
}

// 64 clients, each of which asks much more than it may have, at times of their own: 10 s at 1,000
// requests a second in all that are let through.
TEST(RateLimiterTest, EachOfManyClientsGetsItsRateWithinTwoPercent) {
  constexpr size_t kClients = 64;
  constexpr uint64_t kRate = 16;  // 1,024 together
  constexpr int kSeconds = 10;
  RateLimiter limiter({.each = {.requests = kRate}});
  std::vector<int> let_through(kClients);
  std::mt19937 random(2);  // NOLINT: the same each time
  Time now{};
  for (size_t i = 0; i < kClients; ++i) {  // their bursts
    while (limiter.Ask(OfAddress(std::to_string(i)), now).let_through) {
    }
  }
  const Time end = now + seconds(kSeconds);
  while ((now += microseconds(100)) < end) {  // 10,000 a second, one client as often as 63 others
    const size_t client = random() % 2 == 0 ? 0 : random() % kClients;
    if (limiter.Ask(OfAddress(std::to_string(client)), now).let_through) ++let_through[client];
  }
  int all = 0;
  for (const int count : let_through) {
    EXPECT_NEAR(count, kRate * kSeconds, 0.02 * kRate * kSeconds);
    all += count;
  }
  EXPECT_NEAR(all, kClients * kRate * kSeconds, 0.02 * kClients * kRate * kSeconds);
}

TEST(RateLimiterTest, AHandfulAtOnceThenOneByOne) {
  RateLimiter limiter({.each = {.requests = 2}, .burst_seconds = 3});
  Time now{};
  for (uint64_t left = 6; left-- > 0;) {
    const Standing standing = limiter.Ask(OfKey("a"), now);
    EXPECT_TRUE(standing.let_through);
    EXPECT_EQ(standing.limit, 6U);
    EXPECT_EQ(standing.remaining, left);
    EXPECT_EQ(standing.reset_seconds, (6 - left + 1) / 2);
  }
  const Standing refused = limiter.Ask(OfKey("a"), now);
  EXPECT_TRUE(refused.limited);
  EXPECT_FALSE(refused.let_through);
  EXPECT_EQ(refused.of, "requests");
  EXPECT_EQ(refused.retry_seconds, 1U);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_TRUE(limiter.Ask(OfKey("b"), now).let_through);
  now += milliseconds(499);
  EXPECT_FALSE(limiter.Ask(OfKey("a"), now).let_through);
  now += milliseconds(1);
  EXPECT_TRUE(limiter.Ask(OfKey("a"), now).let_through);
  EXPECT_FALSE(limiter.Ask(OfKey("a"), now).let_through);
}

// A refused request takes nothing: who keeps asking is let in as soon as who waits.
TEST(RateLimiterTest, TokensArePaidForAfterwardsAndADebtIsWaitedFor) {
  RateLimiter limiter({.each = {.requests = 100, .tokens = 1000}});
  const ClientIdentity client = OfKey("a");
  Time now{};
  ASSERT_TRUE(limiter.Ask(client, now).let_through);
  // More than the bucket holds is answered all the same.
  const Standing paid = limiter.Pay(client, 5500, now);
  EXPECT_EQ(paid.of, "tokens");
  EXPECT_EQ(paid.limit, 1000U);
  EXPECT_EQ(paid.remaining, 0U);
  for (int i = 0; i < 10; ++i) {
    const Standing refused = limiter.Ask(client, now);
    EXPECT_FALSE(refused.let_through);
    EXPECT_EQ(refused.of, "tokens");
    EXPECT_EQ(refused.retry_seconds, 5U);  // 4.5 s and one token
  }
  EXPECT_TRUE(limiter.Ask(OfKey("b"), now).let_through);
  now += milliseconds(4500);
  EXPECT_FALSE(limiter.Ask(client, now).let_through);
  now += milliseconds(1);
  EXPECT_TRUE(limiter.Ask(client, now).let_through);
}

TEST(RateLimiterTest, OverTimeNobodyGetsMoreTokensThanTheRate) {
  RateLimiter limiter({.each = {.tokens = 1000}});
  const ClientIdentity client = OfKey("a");
  std::mt19937 random(3);  // NOLINT: the same each time
  uint64_t tokens = 0;
  Time now{};
  for (const Time end = now + seconds(1000); now < end; now += milliseconds(7)) {
    if (!limiter.Ask(client, now).let_through) continue;
    const size_t some = random() % 3000;
    limiter.Pay(client, some, now);
    tokens += some;
  }
  EXPECT_NEAR(static_cast<double>(tokens), 1'000'000, 0.01 * 1'000'000);
}

TEST(RateLimiterTest, AKeyMayHaveLimitsOfItsOwn) {
  RateLimiter limiter(
      {.each = {.requests = 1}, .of_keys = {{"more", {.requests = 3}}, {"all", {}}}});
  const auto let_through = [&](const ClientIdentity& client) {
    int count = 0;
    while (count < 10 && limiter.Ask(client, Time{}).let_through) ++count;
    return count;
  };
  EXPECT_EQ(let_through(OfKey("other")), 1);
  EXPECT_EQ(let_through(OfKey("more")), 3);
  EXPECT_EQ(let_through(OfKey("all")), 10);
  EXPECT_FALSE(limiter.Ask(OfKey("all"), Time{}).limited);
}

TEST(RateLimiterTest, LimitsCanBeReplaced) {
  RateLimiter limiter({});
  EXPECT_FALSE(limiter.any());
  EXPECT_FALSE(limiter.Ask(OfKey("a"), Time{}).limited);
  limiter.Replace({.each = {.requests = 10}});
  EXPECT_TRUE(limiter.any());
  EXPECT_EQ(limiter.Ask(OfKey("a"), Time{}).remaining, 9U);
  limiter.Replace({.each = {.requests = 2}});
  EXPECT_EQ(limiter.Ask(OfKey("a"), Time{}).remaining,
            1U);  // no more than the smaller bucket holds
  limiter.Replace({});
  EXPECT_FALSE(limiter.Ask(OfKey("a"), Time{}).limited);
}

TEST(RateLimiterTest, ForgetsTheAddressThatAskedLongestAgo) {
  RateLimiter limiter({.each = {.requests = 1}}, /*max_addresses=*/3);
  EXPECT_TRUE(limiter.Ask(OfKey("k"), Time{}).let_through);
  for (const char* address : {"a", "b", "c"}) {
    EXPECT_TRUE(limiter.Ask(OfAddress(address), Time{}).let_through);
  }
  EXPECT_FALSE(limiter.Ask(OfAddress("a"), Time{}).let_through);
  EXPECT_TRUE(limiter.Ask(OfAddress("d"), Time{}).let_through);
  EXPECT_EQ(limiter.addresses(), 3U);
  EXPECT_FALSE(limiter.Ask(OfAddress("a"), Time{}).let_through);
  EXPECT_TRUE(limiter.Ask(OfAddress("b"), Time{}).let_through);  // forgotten
  for (int i = 0; i < 1000; ++i) (void)limiter.Ask(OfAddress(std::to_string(i)), Time{});
  EXPECT_EQ(limiter.addresses(), 3U);
  EXPECT_FALSE(limiter.Ask(OfKey("k"), Time{}).let_through);  // keys are not forgotten for them
}

TEST(LimitRateTest, RefusesWithAllThatAClientNeedsToKnow) {
  RateLimiter limiter({.each = {.requests = 2, .tokens = 100}});
  Time now{};
  std::vector<std::string> limited;
  size_t tokens = 30;
  const Handler handler = LimitRate(
      limiter, [&] { return now; },
      [&](const ClientIdentity& client, std::string_view of) {
        limited.push_back(client.id + ' ' + std::string(of));
      },
      PlainRefusal)(
      [&](const Request&, Responder responder) { responder.Answer({.cost = {.tokens = tokens}}); });
  const auto ask = [&] {
    Request request{"POST", "/", "", "id"};
    request.client = OfKey("a");
    return Ask(handler, std::move(request));
  };
  const Response first = ask();
  EXPECT_EQ(first.status, 200);
  EXPECT_EQ(HeaderOf(first, "RateLimit-Limit"), "2");  // a half is left of one, 0.7 of the other
  EXPECT_EQ(HeaderOf(first, "RateLimit-Remaining"), "1");
  EXPECT_EQ(HeaderOf(first, "RateLimit-Reset"), "1");
  EXPECT_EQ(HeaderOf(first, "Retry-After"), "");
  tokens = 570;
  EXPECT_EQ(HeaderOf(ask(), "RateLimit-Limit"), "100");
  const Response refused = ask();
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(HeaderOf(refused, "Retry-After"), "6");  // 5 s and one token
  EXPECT_EQ(HeaderOf(refused, "RateLimit-Limit"), "100");
  EXPECT_EQ(HeaderOf(refused, "RateLimit-Remaining"), "0");
  EXPECT_EQ(HeaderOf(refused, "RateLimit-Reset"), "6");
  EXPECT_NE(refused.body.find("tokens"), std::string::npos);
  EXPECT_EQ(limited, std::vector<std::string>{"key:a tokens"});
  now += seconds(6);
  EXPECT_EQ(ask().status, 200);
}

TEST(LimitRateTest, WithoutLimitsNothingIsSaid) {
  RateLimiter limiter({});
  const Handler handler = LimitRate(
      limiter, [] { return Time{}; }, [](const ClientIdentity&, std::string_view) {},
      PlainRefusal)(kFine);
  EXPECT_TRUE(Ask(handler, {"POST", "/", "", "id"}).headers.empty());
}

}  // namespace
}  // namespace embedding::http
