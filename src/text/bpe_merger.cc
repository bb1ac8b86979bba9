// A short word's pairs are searched for the lowest rank anew for each merge: some dozens of ranks
// side by side are faster to look through than a heap is to keep. A long one's are kept in a heap.
#include "text/bpe_merger.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>

namespace embedding {
namespace {

// Up to this many symbols the square of their number costs less than the heap.
constexpr size_t kShort = 40;
// A thread keeps its buffers from word to word, unless a word made them larger than this.
constexpr size_t kKeptSymbols = size_t{1} << 16;

void MergeShort(const MergeTable& merges, std::vector<BpeSymbol>& symbols) {
  std::array<uint32_t, kShort> ranks;  // of each symbol and the next
  size_t pairs = symbols.size() - 1;
  const auto look_up = [&](size_t i) {
    ranks[i] = merges.RankOf(symbols[i].id, symbols[i + 1].id);
  };
  for (size_t i = 0; i < pairs; ++i) look_up(i);
  while (pairs > 0) {
    const auto lowest = std::min_element(ranks.begin(), ranks.begin() + pairs);
    if (*lowest == MergeTable::kNever) break;
    const auto i = static_cast<size_t>(lowest - ranks.begin());
    symbols[i] = {merges.MergedBy(*lowest), symbols[i].size_bytes + symbols[i + 1].size_bytes};
    symbols.erase(symbols.begin() + static_cast<ptrdiff_t>(i) + 1);
    std::copy(ranks.begin() + i + 1, ranks.begin() + pairs, ranks.begin() + i);
    --pairs;
    if (i < pairs) look_up(i);
    if (i > 0) look_up(i - 1);
  }
}

// Symbols as a list, in which a merge takes the right one out. A heap has pairs that merge as
// rank << 32 | place of the left symbol; one whose symbols have changed since has another rank than
// the place has now, and is passed over.
class ListMerger {
 public:
  void Merge(const MergeTable& merges, std::vector<BpeSymbol>& symbols) {
    const auto size = static_cast<uint32_t>(symbols.size());
    nodes_.resize(size);
    heap_.clear();
    for (uint32_t i = 0; i < size; ++i) {
      nodes_[i] = {.previous = i - 1, .next = i + 1};
      if (i + 1 < size) LookUp(merges, symbols, i, i + 1);
      if (nodes_[i].rank != MergeTable::kNever) heap_.push_back(KeyOf(nodes_[i].rank, i));
    }
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>());
    while (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>());
      const uint64_t key = heap_.back();
      heap_.pop_back();
      const auto left = static_cast<uint32_t>(key);
      if (nodes_[left].rank != key >> 32) continue;
      const uint32_t right = nodes_[left].next;
      symbols[left] = {merges.MergedBy(nodes_[left].rank),
                       symbols[left].size_bytes + symbols[right].size_bytes};
      nodes_[right].rank = MergeTable::kNever;
      nodes_[right].is_gone = true;
      nodes_[left].rank = MergeTable::kNever;
      const uint32_t next = nodes_[right].next;
      nodes_[left].next = next;
      if (next < size) {
        nodes_[next].previous = left;
        Push(merges, symbols, left, next);
      }
      if (left > 0) Push(merges, symbols, nodes_[left].previous, left);
    }
    size_t kept = 0;
    for (uint32_t i = 0; i < size; ++i) {
      if (!nodes_[i].is_gone) symbols[kept++] = symbols[i];
    }
    symbols.resize(kept);
    if (size > kKeptSymbols) *this = {};
  }

 private:
  struct Node {
    uint32_t previous;
    uint32_t next;
    uint32_t rank = MergeTable::kNever;  // of this and the next
    bool is_gone = false;
  };

  static uint64_t KeyOf(uint32_t rank, uint32_t place) { return (uint64_t{rank} << 32) | place; }

  void LookUp(const MergeTable& merges, const std::vector<BpeSymbol>& symbols, uint32_t left,
              uint32_t right) {
    nodes_[left].rank = merges.RankOf(symbols[left].id, symbols[right].id);
  }

  void Push(const MergeTable& merges, const std::vector<BpeSymbol>& symbols, uint32_t left,
            uint32_t right) {
    LookUp(merges, symbols, left, right);
    if (nodes_[left].rank == MergeTable::kNever) return;
    heap_.push_back(KeyOf(nodes_[left].rank, left));
    std::push_heap(heap_.begin(), heap_.end(), std::greater<>());
  }

  std::vector<Node> nodes_;
  std::vector<uint64_t> heap_;
};

}  // namespace

void MergeSymbols(const MergeTable& merges, std::vector<BpeSymbol>& symbols) {
  if (symbols.size() < 2) return;
  if (symbols.size() <= kShort) {
    MergeShort(merges, symbols);
    return;
  }
  thread_local ListMerger merger;
  merger.Merge(merges, symbols);
}

}  // namespace embedding
