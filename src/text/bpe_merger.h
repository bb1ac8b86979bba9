// The merges of byte-pair encoding.
#pragma once

#include <cstdint>
#include <vector>

#include "text/merge_table.h"

namespace embedding {

// A token of a word, and how many of the word's bytes it covers.
struct BpeSymbol {
  int32_t id;
  uint32_t size_bytes;
};

// Merges two symbols side by side as long as any pair merges, each time the pair of the lowest
// rank, and of those the leftmost. Time for n symbols is n log n at most.
void MergeSymbols(const MergeTable& merges, std::vector<BpeSymbol>& symbols);

}  // namespace embedding
