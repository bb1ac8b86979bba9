// CodePointTable: a value for every code point, found by two loads.
//
// Blocks of 128 code points are stored once however often they occur. Thread-safety: immutable.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <map>
#include <vector>

namespace embedding {

template <typename Value>
class CodePointTable {
 public:
  // `value_of` is asked for each code point from 0 to 0x10FFFF in order.
  template <typename ValueOf>
  explicit CodePointTable(ValueOf value_of) : blocks_() {
    std::map<std::array<Value, kBlock>, uint16_t> known;
    std::array<Value, kBlock> block;
    for (size_t b = 0; b < blocks_.size(); ++b) {
      for (size_t i = 0; i < kBlock; ++i) {
        block[i] = value_of(static_cast<char32_t>((b * kBlock) + i));
      }
      const auto last = entries_.empty() ? entries_.end() : entries_.end() - kBlock;
      if (b > 0 && std::equal(block.begin(), block.end(), last, entries_.end())) {
        blocks_[b] = static_cast<uint16_t>((entries_.size() / kBlock) - 1);
        continue;
      }
      const auto [entry, is_new] =
          known.emplace(block, static_cast<uint16_t>(entries_.size() / kBlock));
      if (is_new) entries_.insert(entries_.end(), block.begin(), block.end());
      blocks_[b] = entry->second;
    }
  }

  // Of what is above 0x10FFFF: the value of U+10FFFF.
  Value operator[](char32_t c) const {
    c = std::min<char32_t>(c, 0x10FFFF);
    return entries_[(size_t{blocks_[c / kBlock]} * kBlock) + (c % kBlock)];
  }

 private:
  static constexpr size_t kBlock = 128;

  std::array<uint16_t, 0x110000 / kBlock> blocks_;
  std::vector<Value> entries_;
};

// Reads a generated table of where a property changes: `runs` has code point << shift | value, in
// order. Gives a function for CodePointTable's constructor.
template <typename Runs>
auto ReadRuns(const Runs& runs, int shift) {
  return [next = std::begin(runs), end = std::end(runs), shift, value = 0U](char32_t c) mutable {
    if (next != end && (*next >> shift) == c) value = *next++ & ((1U << shift) - 1);
    return value;
  };
}

}  // namespace embedding
