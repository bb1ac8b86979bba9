#include "cache/memory_store.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "cache/layered_store.h"

namespace embedding {
namespace {

ResultKey Key(uint64_t number) {
  // Both halves spread, as a hash's do.
  return {{number * 0x9E3779B97F4A7C15, number * 0xC2B2AE3D27D4EB4F}};
}

std::string Get(ResultStore& store, uint64_t number) {
  const ResultKey key = Key(number);
  StoredResult found;
  store.Find({&key, 1}, {&found, 1});
  if (found == nullptr) return "nothing";
  return {reinterpret_cast<const char*>(found->data()), found->size()};
}

void Put(ResultStore& store, uint64_t number, std::string_view bytes) {
  store.Put(Key(number), std::as_bytes(std::span(bytes)));
}

constexpr size_t kEntry = MemoryStore::kEntryBytes + 100;

TEST(MemoryStore, GivesBackTheBytesThatItWasGiven) {
  MemoryStore store(1'000'000);
  EXPECT_EQ(Get(store, 1), "nothing");
  Put(store, 1, "one");
  Put(store, 2, "");  // a result may be empty
  EXPECT_EQ(Get(store, 1), "one");
  EXPECT_EQ(Get(store, 2), "");
  EXPECT_EQ(store.stats().front().hits, 2U);
  EXPECT_EQ(store.stats().front().misses, 1U);
}

TEST(MemoryStore, KeysThatShareAHalfAreDifferent) {
  MemoryStore store(1'000'000);
  for (const ResultKey& key : {ResultKey{{1, 1}}, ResultKey{{1, 2}}, ResultKey{{2, 1}}}) {
    StoredResult found;
    store.Find({&key, 1}, {&found, 1});
    EXPECT_EQ(found, nullptr);
    store.Put(key, std::as_bytes(std::span("x", 1)));
  }
  EXPECT_EQ(store.stats().front().entries, 3U);
}

TEST(MemoryStore, DropsWhatWasNotAskedForTheLongest) {
  MemoryStore store(4 * kEntry);
  for (uint64_t i = 0; i < 4; ++i) Put(store, i, std::string(100, 'x'));
  EXPECT_NE(Get(store, 0), "nothing");
  Put(store, 1, std::string(100, 'x'));  // used again, not stored twice
  Put(store, 4, std::string(100, 'x'));
  Put(store, 5, std::string(100, 'x'));
  EXPECT_EQ(Get(store, 2), "nothing");
  EXPECT_EQ(Get(store, 3), "nothing");
  for (const uint64_t kept : std::vector<uint64_t>{0, 1, 4, 5})
    EXPECT_NE(Get(store, kept), "nothing") << kept;
  EXPECT_EQ(store.stats().front().evictions, 2U);
}

TEST(MemoryStore, HoldsNoMoreThanItsBytes) {
  for (const size_t limit : {size_t{10'000}, size_t{64'000'000}}) {
    MemoryStore store(limit);
    const std::string result(1536, 'x');
    for (uint64_t i = 0; i < 50'000; ++i) Put(store, i, result);
    const ResultStoreStats stats = store.stats().front();
    EXPECT_EQ(stats.limit_bytes, limit);
    EXPECT_LE(stats.bytes, limit);
    EXPECT_GT(stats.bytes, limit / 2);
    EXPECT_EQ(stats.bytes, stats.entries * (MemoryStore::kEntryBytes + result.size()));
    EXPECT_EQ(stats.entries + stats.evictions, 50'000U);
  }
}

TEST(MemoryStore, OneResultDoesNotEmptyIt) {
  MemoryStore store(10'000);
  Put(store, 1, "small");
  Put(store, 2, std::string(5'000, 'x'));
  EXPECT_EQ(Get(store, 1), "small");
  EXPECT_EQ(Get(store, 2), "nothing");
  EXPECT_EQ(store.stats().front().dropped_writes, 1U);
}

TEST(MemoryStore, WhatWasFoundOutlivesItsEntry) {
  MemoryStore store(4 * kEntry);
  Put(store, 0, std::string(100, 'a'));
  const ResultKey key = Key(0);
  StoredResult found;
  store.Find({&key, 1}, {&found, 1});
  for (uint64_t i = 1; i < 10; ++i) Put(store, i, std::string(100, 'b'));
  EXPECT_EQ(Get(store, 0), "nothing");
  EXPECT_EQ(*found, std::vector<std::byte>(100, std::byte{'a'}));
}

TEST(MemoryStore, ThreadsGetWhatBelongsToTheirKeys) {
  MemoryStore store(16 * kEntry);  // so that entries come and go
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (uint64_t i = 0; i < 4000; ++i) {
        const uint64_t number = i * 7 % 50;
        const std::string bytes(100, static_cast<char>('A' + number % 26));
        Put(store, number, bytes);
        const std::string got = Get(store, number);
        EXPECT_TRUE(got == bytes || got == "nothing");
        if (i % 100 == 0) {
          EXPECT_LE(store.stats().front().bytes, 16 * kEntry);
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(LayeredStore, WhatIsFoundFarIsKeptNear) {
  const auto near = MakeMemoryStore(1'000'000);
  const auto far = MakeMemoryStore(1'000'000);
  LayeredStore both(near, far);
  Put(*far, 1, "far");
  Put(*near, 2, "near");
  Put(both, 3, "both");
  EXPECT_EQ(Get(both, 1), "far");
  EXPECT_EQ(Get(*near, 1), "far");
  EXPECT_EQ(Get(both, 2), "near");
  EXPECT_EQ(Get(*far, 2), "nothing");
  EXPECT_EQ(Get(*near, 3), "both");
  EXPECT_EQ(Get(*far, 3), "both");
  EXPECT_EQ(both.stats().size(), 2U);
  // Far is asked only for what near lacks.
  const uint64_t asked = far->stats().front().hits + far->stats().front().misses;
  EXPECT_EQ(Get(both, 1), "far");
  EXPECT_EQ(far->stats().front().hits + far->stats().front().misses, asked);
}

}  // namespace
}  // namespace embedding
