#include "text/merge_table.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace embedding {

MergeTable::MergeTable(std::vector<Merge> merges) : merges_(std::move(merges)) {
  // At most a third is in use: most pairs that are looked up are not there, and find an empty
  // place.
  const size_t slots = std::bit_ceil(std::max<size_t>(merges_.size() * 3 / 2, 2));
  slots_.resize(slots);
  mask_ = slots - 1;
  shift_ = 64 - std::countr_zero(slots);
  for (size_t rank = 0; rank < merges_.size(); ++rank) {
    const Merge& merge = merges_[rank];
    const uint64_t hash = Hash(merge.left, merge.right);
    const auto is_same = [&](uint32_t slot) {
      const Merge& other = merges_[(slot >> 8) - 1];
      return other.left == merge.left && other.right == merge.right;
    };
    size_t i = hash >> shift_;
    while (slots_[i] != 0 && !is_same(slots_[i])) i = (i + 1) & mask_;
    slots_[i] = (static_cast<uint32_t>(rank + 1) << 8) | static_cast<uint32_t>(hash & 0xFF);
  }
}

}  // namespace embedding
