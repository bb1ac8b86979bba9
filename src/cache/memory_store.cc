#include "cache/memory_store.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace embedding {
namespace {

// A shard smaller than this has room for too few entries; more shards than these serve no number of
// threads that look up a key a microsecond.
constexpr size_t kLeastShardBytes = size_t{4} << 20;
constexpr size_t kMostShards = 16;

size_t ShardsFor(size_t limit_bytes) {
  return std::clamp(limit_bytes / kLeastShardBytes, size_t{1}, kMostShards);
}

}  // namespace

MemoryStore::MemoryStore(size_t limit_bytes)
    : limit_bytes_(limit_bytes),
      shards_(ShardsFor(limit_bytes)),
      shard_bytes_(limit_bytes / shards_.size()) {}

StoredResult MemoryStore::Use(Shard& shard, const ResultKey& key) {
  const MutexLock lock(shard.mutex);
  const auto place = shard.places.find(key);
  if (place == shard.places.end()) return nullptr;
  shard.entries.splice(shard.entries.begin(), shard.entries, place->second);
  return place->second->result;
}

void MemoryStore::Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept {
  uint64_t hits = 0;
  uint64_t misses = 0;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (found[i] != nullptr) continue;
    found[i] = Use(ShardOf(keys[i]), keys[i]);
    ++(found[i] != nullptr ? hits : misses);
  }
  hits_ += hits;
  misses_ += misses;
}

void MemoryStore::Insert(const ResultKey& key, std::span<const std::byte> result) {
  Shard& shard = ShardOf(key);
  if (Use(shard, key) != nullptr) return;
  Entries made;
  made.push_back(
      {key, std::make_shared<const std::vector<std::byte>>(result.begin(), result.end())});
  Entries dropped;  // whose memory is freed without the lock
  const MutexLock lock(shard.mutex);
  const auto [place, is_new] = shard.places.try_emplace(key, made.begin());
  if (!is_new) return;  // another thread's, of the same bytes
  shard.entries.splice(shard.entries.begin(), made);
  shard.bytes += kEntryBytes + result.size();
  while (shard.bytes > shard_bytes_) {
    const auto last = std::prev(shard.entries.end());
    shard.bytes -= kEntryBytes + last->result->size();
    shard.places.erase(last->key);
    dropped.splice(dropped.begin(), shard.entries, last);
    ++shard.evictions;
  }
}

void MemoryStore::Put(const ResultKey& key, std::span<const std::byte> result) noexcept {
  constexpr size_t kLeastEntries = 4;  // of a shard
  if (kEntryBytes + result.size() > shard_bytes_ / kLeastEntries) {
    ++dropped_;
    return;
  }
  try {
    Insert(key, result);
  } catch (const std::exception&) {  // no memory: it is not kept
    ++dropped_;
  }
}

std::vector<ResultStoreStats> MemoryStore::stats() const {
  ResultStoreStats stats{.store = "memory",
                         .hits = hits_,
                         .misses = misses_,
                         .dropped_writes = dropped_,
                         .limit_bytes = limit_bytes_};
  for (const Shard& shard : shards_) {
    const MutexLock lock(shard.mutex);
    stats.evictions += shard.evictions;
    stats.entries += shard.entries.size();
    stats.bytes += shard.bytes;
  }
  return {stats};
}

std::shared_ptr<ResultStore> MakeMemoryStore(size_t limit_bytes) {
  return std::make_shared<MemoryStore>(limit_bytes);
}

}  // namespace embedding
