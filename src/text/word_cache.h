// WordCache: the tokens of the short words that a thread met last.
//
// A word has one place, by its hash, and what is there before goes: no lists to keep, and a bound
// of 1 MiB a thread, which all models share. Thread-safety: each thread has its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace embedding {

class WordCache {
 public:
  static constexpr size_t kMaxBytes = 28;
  static constexpr size_t kMaxTokens = 6;

  // A word and its tokens, in one line of the cache of most processors.
  struct alignas(64) Entry {
    uint32_t model = 0;  // 0 in a place that is not in use
    uint8_t size_bytes = 0;
    uint8_t tokens = 0;
    std::array<uint8_t, kMaxTokens> ends = {};  // of the tokens, in bytes
    std::array<char, kMaxBytes> word = {};
    std::array<int32_t, kMaxTokens> ids = {};

    bool Is(uint32_t of_model, std::string_view text) const {
      return model == of_model && std::string_view(word.data(), size_bytes) == text;
    }
  };

  // A number for a model, which no other model of this process has.
  static uint32_t NewModel();

  static WordCache& OfThread() {
    thread_local WordCache cache;
    return cache;
  }

  // The place of a word of 1 to kMaxBytes bytes. What it has may be another word's.
  Entry& PlaceOf(uint32_t model, std::string_view word) {
    return entries_[Hash(model, word) & (kEntries - 1)];
  }

 private:
  static constexpr size_t kEntries = 16384;

  WordCache() : entries_(kEntries) {}

  static size_t Hash(uint32_t model, std::string_view word);

  std::vector<Entry> entries_;
};

}  // namespace embedding
