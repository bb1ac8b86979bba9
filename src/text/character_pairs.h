// CharacterPairs: a set of pairs of characters that may take a pair for one of its own.
//
// A bitmap by hash, of a size that fits the second cache of a processor: of a million bits, 34,000
// pairs (Gemma's) set 3 %.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace embedding {

class CharacterPairs {
 public:
  CharacterPairs() : words_(kBits / 64) {}

  void Add(char32_t first, char32_t second) {
    const size_t bit = Hash(first, second);
    words_[bit / 64] |= uint64_t{1} << (bit % 64);
  }
  // True of all that were added.
  bool Has(char32_t first, char32_t second) const {
    const size_t bit = Hash(first, second);
    return ((words_[bit / 64] >> (bit % 64)) & 1) != 0;
  }

 private:
  static constexpr int kLogBits = 20;
  static constexpr size_t kBits = size_t{1} << kLogBits;

  static size_t Hash(char32_t first, char32_t second) {
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
    const uint64_t key = (uint64_t{first} << 21) | second;
    return static_cast<size_t>((key * kOdd) >> (64 - kLogBits));
  }

  std::vector<uint64_t> words_;
};

}  // namespace embedding
