// WordCache: the tokens of the short words that a thread met last.
//
// A word has two places, by its hash: in the first is the one that came last, and what was there
// before goes to the second. No lists to keep, and a bound of 1 MiB a thread, which all models
// share. Thread-safety: each thread has its own.
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

  // The entry of a word of 1 to kMaxBytes bytes, if it is there.
  const Entry* Find(uint32_t model, std::string_view word) const {
    const Entry* const places = PlacesOf(model, word);
    if (places[0].Is(model, word)) return &places[0];
    return places[1].Is(model, word) ? &places[1] : nullptr;
  }
  // An entry for one that is not there, of which model and word are filled in.
  Entry& Add(uint32_t model, std::string_view word);

 private:
  static constexpr size_t kEntries = 16384;

  WordCache() : entries_(kEntries) {}

  static size_t Hash(uint32_t model, std::string_view word);
  const Entry* PlacesOf(uint32_t model, std::string_view word) const {
    return &entries_[Hash(model, word) & (kEntries - 2)];
  }

  std::vector<Entry> entries_;
};

}  // namespace embedding
