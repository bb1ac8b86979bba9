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

// From `first` on, up to the next run, all code points have the value.
template <typename Value>
struct CodePointRun {
  char32_t first;
  Value value;
};

template <typename Value>
class CodePointTable {
 public:
  using Run = CodePointRun<Value>;

  // `runs` are in order; what is before the first has the value Value(). Costs time in the runs and
  // in the number of blocks.
  explicit CodePointTable(const std::vector<Run>& runs) : blocks_() {
    std::map<std::array<Value, kBlock>, uint16_t> known;
    std::array<Value, kBlock> block = {};
    auto next = runs.begin();
    Value value = Value();
    bool is_filled = false;  // the block has one value, and is the last that was added
    for (size_t b = 0; b < blocks_.size(); ++b) {
      const auto begin = static_cast<char32_t>(b * kBlock);
      if (is_filled && (next == runs.end() || next->first >= begin + kBlock)) {
        blocks_[b] = blocks_[b - 1];
        continue;
      }
      for (size_t i = 0; i < kBlock; ++i) {
        for (; next != runs.end() && next->first <= begin + i; ++next) value = next->value;
        block[i] = value;
      }
      is_filled = block.front() == value &&
                  std::all_of(block.begin(), block.end(), [&](Value v) { return v == value; });
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

// The runs of a generated table, which has code point << shift | value where a value begins.
template <typename Value, size_t size>
std::vector<CodePointRun<Value>> ReadRuns(const uint32_t (&table)[size], int shift) {
  std::vector<CodePointRun<Value>> runs;
  runs.reserve(size);
  for (const uint32_t entry : table) {
    const uint32_t value = entry & ((1U << shift) - 1);
    runs.push_back({entry >> shift, Value(static_cast<uint16_t>(value))});
  }
  return runs;
}

}  // namespace embedding
