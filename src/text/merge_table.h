// MergeTable: which two tokens side by side become which one, and which merge comes first.
//
// A hash table with open addressing whose places have the rank alone, and eight bits of the hash to
// tell most others by. It is small for that, and the merges that are met most are the first ones,
// side by side in another array: both stay in the processor's caches better than a table of pairs.
// Thread-safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace embedding {

class MergeTable {
 public:
  struct Merge {
    int32_t left;
    int32_t right;
    int32_t merged;
  };
  // The rank of a pair that does not merge: behind all others.
  static constexpr uint32_t kNever = UINT32_MAX;
  static constexpr size_t kMaxMerges = (size_t{1} << 24) - 1;

  // `merges` by rank, at most kMaxMerges. Of a pair that is there twice the last counts, as in
  // `tokenizers`. No id is below 0.
  explicit MergeTable(std::vector<Merge> merges);

  uint32_t RankOf(int32_t left, int32_t right) const {
    const uint64_t hash = Hash(left, right);
    for (size_t i = hash >> shift_;; i = (i + 1) & mask_) {
      const uint32_t slot = slots_[i];
      if (slot == 0) return kNever;
      if ((slot & 0xFF) != (hash & 0xFF)) continue;
      const uint32_t rank = (slot >> 8) - 1;
      if (merges_[rank].left == left && merges_[rank].right == right) return rank;
    }
  }
  int32_t MergedBy(uint32_t rank) const { return merges_[rank].merged; }

 private:
  static uint64_t Hash(int32_t left, int32_t right) {
    constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;  // 2^64 by the golden ratio
    const uint64_t key =
        (uint64_t{static_cast<uint32_t>(left)} << 32) | static_cast<uint32_t>(right);
    const uint64_t mixed = (key ^ (key >> 30)) * kOdd;
    return mixed ^ (mixed >> 32);
  }

  std::vector<Merge> merges_;
  std::vector<uint32_t> slots_;  // rank + 1 << 8 | part of the hash; 0 where there is none
  size_t mask_ = 0;
  int shift_ = 0;
};

}  // namespace embedding
