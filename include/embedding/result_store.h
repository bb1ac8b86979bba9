// ResultStore: what models have made of texts, kept for the next request that asks for the same.
//
// It lies below tokenising and above the queue: an entry is what one head of one model made of one
// sequence of token ids, before what a request chooses is done to it (dimensions, normalising,
// output types), so that prompts, dialects and the spellings of one request meet in it. Results
// that come from a store are equal in every bit to computed ones.
//
// A ResultKey is the first half of a SHA-256 over all that decides the result. Nobody finds a
// sequence whose key is that of somebody else's (2^128 tries), so a client cannot make the server
// give a wrong vector for another's text, although it knows how keys are made, as it must where
// several servers share a store; to find two of its own that meet takes 2^64, and deceives nobody
// but itself. A hash that is not cryptographic (XXH3, say) would have let a client construct both.
// Who may write into a shared store can put wrong vectors into it: it is to be as private as the
// model's files.
//
// Thread-safety: all methods from any thread, at the same time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace embedding {

struct ResultKey {
  std::array<uint64_t, 2> hash = {};

  friend bool operator==(const ResultKey&, const ResultKey&) = default;
};

// The bytes of a result; nullptr for one that is not there. Kept alive by whoever has it, whatever
// becomes of the entry.
using StoredResult = std::shared_ptr<const std::vector<std::byte>>;

// Since the start. Of a store that does not know a number it is 0.
struct ResultStoreStats {
  std::string_view store;  // "memory" or "redis"
  uint64_t hits = 0;       // results that were found, and those that were not
  uint64_t misses = 0;
  uint64_t evictions = 0;       // entries that made room for others
  uint64_t errors = 0;          // times that it failed
  uint64_t dropped_writes = 0;  // results that it could not take
  size_t entries = 0;           // now
  size_t bytes = 0;
  size_t limit_bytes = 0;
  std::optional<bool> up = {};  // of a store that can be away
};

class ResultStore {
 public:
  virtual ~ResultStore() = default;

  // Puts what is stored under keys[i] into found[i], of which there are as many, where that is
  // nullptr; other elements are left alone. May wait, for as long as the store says of itself.
  virtual void Find(std::span<const ResultKey> keys, std::span<StoredResult> found) noexcept = 0;

  // Takes a copy of a result, or does not, where there is no room. Does not wait.
  virtual void Put(const ResultKey& key, std::span<const std::byte> result) noexcept = 0;

  // Whether other processes read what is put here, and put what is found: then models are told from
  // one another by their files' contents, which are read when a model is loaded.
  virtual bool is_shared() const = 0;

  // Of each store that this one consists of.
  virtual std::vector<ResultStoreStats> stats() const = 0;
};

// A store in this process's memory. It holds at most so many bytes, what an entry takes besides its
// result included, and makes room by dropping what was not asked for the longest.
std::shared_ptr<ResultStore> MakeMemoryStore(size_t limit_bytes);

}  // namespace embedding
