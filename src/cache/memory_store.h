// MemoryStore: results in this process's memory, the least recently used dropped first.
//
// The store is cut into shards by the keys' bits, each with its lock, its share of the bytes and
// its own order of use, so that threads seldom wait for one another; a lock is held for a look-up
// in a table and never while a result is copied.
//
// An entry takes at most a quarter of its shard: a single one, a long text's ColBERT vectors say,
// does not empty it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/mutex.h"
#include "embedding/result_store.h"

namespace embedding {

class MemoryStore final : public ResultStore {
 public:
  // What an entry takes besides its result, in glibc's blocks: a node of the list (64 bytes), one
  // of the table (48) and its share of the buckets (8 to 16), the vector with its counts (48), and
  // the bytes' own block (8, and up to 15 to round up). Measured: 178 to 193.
  static constexpr size_t kEntryBytes = 200;

  explicit MemoryStore(size_t limit_bytes);

  void Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept override;
  void Put(const ResultKey& key, std::span<const std::byte> result) noexcept override;
  bool is_shared() const override { return false; }
  std::vector<ResultStoreStats> stats() const override;

 private:
  struct Entry {
    ResultKey key;
    StoredResult result;
  };
  struct HashOfKey {
    // The key is a hash. Its other half chose the shard.
    size_t operator()(const ResultKey& key) const noexcept {
      return static_cast<size_t>(key.hash[1]);
    }
  };
  using Entries = std::list<Entry>;
  struct Shard {
    mutable Mutex mutex;
    Entries entries GUARDED_BY(mutex);  // the most recently used first
    std::unordered_map<ResultKey, Entries::iterator, HashOfKey> places GUARDED_BY(mutex);
    size_t bytes GUARDED_BY(mutex) = 0;
    uint64_t evictions GUARDED_BY(mutex) = 0;
  };

  Shard& ShardOf(const ResultKey& key) { return shards_[key.hash[0] % shards_.size()]; }
  // nullptr if it is not there; if it is, it is the most recently used from here on.
  static StoredResult Use(Shard& shard, const ResultKey& key) EXCLUDES(shard.mutex);
  void Insert(const ResultKey& key, std::span<const std::byte> result);

  const size_t limit_bytes_;
  std::vector<Shard> shards_;
  const size_t shard_bytes_;  // that each may hold
  std::atomic<uint64_t> hits_ = 0;
  std::atomic<uint64_t> misses_ = 0;
  std::atomic<uint64_t> dropped_ = 0;
};

}  // namespace embedding
