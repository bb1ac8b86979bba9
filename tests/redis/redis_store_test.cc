#include "redis/redis_store.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "redis/fake_redis.h"

namespace embedding {
namespace {

using Mood = FakeRedis::Mood;

void Until(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "waited in vain";
    std::this_thread::yield();
  }
}

ResultKey Key(uint64_t number) { return {{number, ~number}}; }

class RedisStoreTest : public testing::Test {
 protected:
  RedisOptions Options() const {
    RedisOptions options;
    options.address.host = "127.0.0.1";
    options.address.port = redis_.port();
    options.timeout = std::chrono::minutes(1);
    options.retry = std::chrono::milliseconds(1);
    return options;
  }
  void Open(const RedisOptions& options) {
    store_ = std::make_unique<RedisStore>(options);
    Until([&] { return IsUp(); });
  }
  ResultStoreStats Stats() const { return store_->stats().front(); }
  bool IsUp() const { return *Stats().up; }

  void Put(uint64_t number, std::string_view bytes) {
    store_->Put(Key(number), std::as_bytes(std::span(bytes)));
  }
  std::string Get(uint64_t number) {
    const ResultKey key = Key(number);
    StoredResult found;
    store_->Find({&key, 1}, {&found, 1});
    if (found == nullptr) return "nothing";
    return {reinterpret_cast<const char*>(found->data()), found->size()};
  }

  FakeRedis redis_;
  std::unique_ptr<RedisStore> store_;
};

TEST_F(RedisStoreTest, GivesBackWhatWasPut) {
  Open(Options());
  EXPECT_EQ(Get(1), "nothing");
  const std::string bytes("\r\n\0$5\r\n", 7);
  Put(1, bytes);
  Put(2, "");
  Until([&] { return redis_.entries() == 2; });
  EXPECT_EQ(Get(1), bytes);
  EXPECT_EQ(Get(2), "");
  EXPECT_EQ(Stats().hits, 2U);
  EXPECT_EQ(Stats().misses, 1U);
}

TEST_F(RedisStoreTest, AsksForAllThatIsMissingAtOnce) {
  Open(Options());
  constexpr size_t kKeys = 300;
  std::vector<ResultKey> keys;
  for (uint64_t i = 0; i < kKeys; ++i) {
    keys.push_back(Key(i));
    if (i % 2 == 0) Put(i, std::to_string(i));
  }
  Until([&] { return redis_.entries() == kKeys / 2; });
  std::vector<StoredResult> found(kKeys);
  const auto here = std::make_shared<const std::vector<std::byte>>(1, std::byte{'h'});
  found[4] = here;
  store_->Find(keys, found);
  EXPECT_EQ(found[4], here);
  EXPECT_EQ(redis_.commands("MGET"), 3U);
  for (size_t i = 0; i < kKeys; ++i) EXPECT_EQ(found[i] != nullptr, i % 2 == 0) << i;
  EXPECT_EQ(found[298]->size(), 3U);
  EXPECT_EQ(Stats().hits, kKeys / 2 - 1);
}

TEST_F(RedisStoreTest, OneThatDoesNotAnswerIsWaitedForOnce) {
  RedisOptions options = Options();
  options.timeout = std::chrono::milliseconds(50);
  Open(options);
  redis_.mood = Mood::kSilent;
  EXPECT_EQ(Get(1), "nothing");
  EXPECT_FALSE(IsUp());
  const size_t asked = redis_.commands("MGET");
  for (uint64_t i = 0; i < 100; ++i) EXPECT_EQ(Get(i), "nothing");
  EXPECT_EQ(redis_.commands("MGET"), asked);
  EXPECT_EQ(Stats().misses, 1U);
  redis_.mood = Mood::kFine;
  Until([&] { return IsUp(); });
  EXPECT_EQ(Get(1), "nothing");
  EXPECT_EQ(redis_.commands("MGET"), asked + 1);
}

TEST_F(RedisStoreTest, WhateverItDoesIsAMiss) {
  for (const Mood mood : {Mood::kClosing, Mood::kRefusing, Mood::kGibberish}) {
    Open(Options());
    const uint64_t errors = Stats().errors;
    redis_.mood = mood;
    EXPECT_EQ(Get(1), "nothing");
    EXPECT_GT(Stats().errors, errors);
    redis_.mood = Mood::kFine;
    Until([&] { return IsUp(); });
    Put(1, "one");
    Until([&] { return Get(1) == "one"; });
    store_.reset();
  }
}

TEST_F(RedisStoreTest, OneThatRefusesWhatIsAskedIsNotThere) {
  for (const Mood mood : {Mood::kRefusing, Mood::kGibberish}) {
    redis_.mood = mood;
    store_ = std::make_unique<RedisStore>(Options());
    // It is asked again and again, and not once by a request.
    Until([&] { return Stats().errors > 10; });
    EXPECT_EQ(Get(1), "nothing");
    EXPECT_FALSE(IsUp());
    EXPECT_EQ(redis_.commands("MGET"), 0U);
  }
  redis_.mood = Mood::kFine;
  Until([&] { return IsUp(); });
}

TEST_F(RedisStoreTest, WhatItDoesNotStoreIsCounted) {
  Open(Options());
  redis_.mood = Mood::kRefusing;
  Put(1, "one");
  Until([&] { return Stats().errors == 1; });
  EXPECT_TRUE(IsUp());
  EXPECT_EQ(redis_.entries(), 0U);
}

TEST_F(RedisStoreTest, TheQueueOfWritesIsBounded) {
  RedisOptions options = Options();
  options.queue_bytes = 1000;
  Open(options);
  redis_.mood = Mood::kSilent;
  for (uint64_t i = 0; i < 100; ++i) Put(i, std::string(300, 'x'));
  // What is being sent is out of the queue.
  EXPECT_GE(Stats().dropped_writes, 100U - 3 * 3);
  Put(200, std::string(RedisStore::kMostBytes + 1, 'x'));
  EXPECT_GE(Stats().dropped_writes, 100U - 3 * 3 + 1);
}

TEST_F(RedisStoreTest, SendsWhatWasPutBeforeItEnds) {
  Open(Options());
  for (uint64_t i = 0; i < 200; ++i) Put(i, std::string(10'000, 'x'));
  store_.reset();
  EXPECT_EQ(redis_.entries(), 200U);
}

TEST_F(RedisStoreTest, ThreadsGetWhatBelongsToTheirKeysThoughConnectionsBreak) {
  Open(Options());
  std::vector<std::thread> threads;
  for (uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (uint64_t i = 0; i < 200; ++i) {
        const uint64_t number = i * 4 + t;
        Put(number, std::to_string(number));
        for (const uint64_t asked : {number, number / 2}) {
          const std::string got = Get(asked);
          EXPECT_TRUE(got == "nothing" || got == std::to_string(asked)) << got;
        }
        if (t == 0 && i % 50 == 0) redis_.mood = i % 100 == 0 ? Mood::kClosing : Mood::kFine;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  redis_.mood = Mood::kFine;
  Until([&] { return IsUp(); });
}

TEST(RedisStore, OneThatIsNotThereCostsNothing) {
  RedisOptions options;
  {
    const FakeRedis gone;
    options.address.host = "127.0.0.1";
    options.address.port = gone.port();
  }
  options.retry = std::chrono::milliseconds(1);
  RedisStore store(options);
  Until([&] { return store.stats().front().errors > 2; });
  const ResultKey key = Key(1);
  StoredResult found;
  store.Find({&key, 1}, {&found, 1});
  store.Put(key, {});
  EXPECT_EQ(found, nullptr);
  EXPECT_FALSE(*store.stats().front().up);
  EXPECT_EQ(store.stats().front().dropped_writes, 1U);
}

}  // namespace
}  // namespace embedding
