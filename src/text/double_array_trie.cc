// A double array holds a trie's edges in one array: the child of a node by byte c is the unit at
// base ^ c, where base belongs to the node, and it is really that node's child if the unit's label
// says c. Two nodes never have the same base, so a label is enough to tell whose child a unit is.
//
// Building it means finding, for every node, a base whose children's places are all free. Since
// base ^ c stays within the block of 256 units that base is in, free units are looked for block by
// block, and only in the last kOpenBlocks of them: older blocks are nearly full, and searching them
// again and again is what makes building slow. This bounds the work per node by a constant, and
// leaves a few percent of the units unused.
//
// Block 0 has no units in use. A node without children has base 0, so that every step from it
// finds a label that does not match.
#include "text/double_array_trie.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace embedding {
namespace {

constexpr uint32_t kBlockSize = 256;
constexpr uint32_t kOpenBlocks = 16;

// The first eight bytes of a key as a number that sorts like them; most keys differ there.
uint64_t SortPrefix(std::string_view key) {
  uint64_t prefix = 0;
  for (size_t i = 0; i < 8; ++i) {
    prefix = (prefix << 8) | (i < key.size() ? static_cast<unsigned char>(key[i]) : 0U);
  }
  return prefix;
}

// Sorts by key, and leaves one entry of each key that is not empty.
void SortUnique(std::vector<DoubleArrayTrie::Entry>& entries) {
  struct Sortable {
    uint64_t prefix;
    DoubleArrayTrie::Entry entry;
  };
  std::vector<Sortable> sortable;
  sortable.reserve(entries.size());
  for (const DoubleArrayTrie::Entry& e : entries) {
    if (!e.key.empty()) sortable.push_back({SortPrefix(e.key), e});
  }
  std::sort(sortable.begin(), sortable.end(), [](const Sortable& a, const Sortable& b) {
    if (a.prefix != b.prefix) return a.prefix < b.prefix;
    const int order = a.entry.key.compare(b.entry.key);
    return order != 0 ? order < 0 : a.entry.value < b.entry.value;
  });
  entries.clear();
  for (const Sortable& s : sortable) {
    if (!entries.empty() && entries.back().key == s.entry.key) entries.pop_back();
    entries.push_back(s.entry);
  }
}

}  // namespace

class DoubleArrayTrieBuilder {
 public:
  DoubleArrayTrie Build(const std::vector<DoubleArrayTrie::Entry>& entries) {
    AddBlock();
    CloseBlock(0);
    // A node that is to get its children: the keys first..last share `depth` bytes.
    struct Pending {
      size_t first;
      size_t last;
      size_t depth;
      uint32_t unit;
    };
    std::vector<Pending> pending;
    if (!entries.empty()) pending.push_back({0, entries.size(), 0, kRoot});
    std::vector<unsigned char> labels;
    std::vector<size_t> firsts;
    while (!pending.empty()) {
      Pending node = pending.back();
      pending.pop_back();
      if (entries[node.first].key.size() == node.depth) {
        units_[node.unit].bits |= (entries[node.first].value + 1) << 9;
        if (++node.first == node.last) continue;
      }
      labels.clear();
      firsts.clear();
      for (size_t i = node.first; i < node.last; ++i) {
        const auto label = static_cast<unsigned char>(entries[i].key[node.depth]);
        if (labels.empty() || labels.back() != label) {
          labels.push_back(label);
          firsts.push_back(i);
        }
      }
      firsts.push_back(node.last);
      const uint32_t base = FindBase(labels);
      (node.unit == kRoot ? root_base_ : units_[node.unit].base) = base;
      slots_[base].is_base = true;
      for (size_t i = 0; i < labels.size(); ++i) {
        const uint32_t child = base ^ labels[i];
        Take(child);
        units_[child].bits = labels[i] + 1U;
        pending.push_back({firsts[i], firsts[i + 1], node.depth + 1, child});
      }
    }
    DoubleArrayTrie trie;
    trie.units_ = std::move(units_);
    trie.units_.shrink_to_fit();
    trie.root_base_ = root_base_;
    return trie;
  }

 private:
  static constexpr uint32_t kRoot = UINT32_MAX;
  static constexpr uint32_t kNone = UINT32_MAX;

  // What the builder knows of a unit. The free units of the open blocks form a list.
  struct Slot {
    uint32_t previous = kNone;
    uint32_t next = kNone;
    bool is_free = false;
    bool is_base = false;
  };

  uint32_t FindBase(const std::vector<unsigned char>& labels) {
    for (uint32_t unit = first_free_; unit != kNone; unit = slots_[unit].next) {
      const uint32_t base = unit ^ labels.front();
      if (slots_[base].is_base) continue;
      if (std::all_of(labels.begin(), labels.end(),
                      [&](unsigned char label) { return slots_[base ^ label].is_free; })) {
        return base;
      }
    }
    const auto base = static_cast<uint32_t>(units_.size());
    AddBlock();
    return base;
  }

  void AddBlock() {
    const auto begin = static_cast<uint32_t>(units_.size());
    if (begin >= kOpenBlocks * kBlockSize) CloseBlock(begin - (kOpenBlocks * kBlockSize));
    units_.resize(begin + kBlockSize);
    slots_.resize(begin + kBlockSize);
    for (uint32_t unit = begin; unit < begin + kBlockSize; ++unit) {
      slots_[unit].is_free = true;
      slots_[unit].previous = last_free_;
      (last_free_ == kNone ? first_free_ : slots_[last_free_].next) = unit;
      last_free_ = unit;
    }
  }

  void CloseBlock(uint32_t begin) {
    for (uint32_t unit = begin; unit < begin + kBlockSize; ++unit) {
      if (slots_[unit].is_free) Take(unit);
    }
  }

  void Take(uint32_t unit) {
    Slot& slot = slots_[unit];
    slot.is_free = false;
    (slot.previous == kNone ? first_free_ : slots_[slot.previous].next) = slot.next;
    (slot.next == kNone ? last_free_ : slots_[slot.next].previous) = slot.previous;
  }

  std::vector<DoubleArrayTrie::Unit> units_;
  std::vector<Slot> slots_;
  uint32_t root_base_ = 0;
  uint32_t first_free_ = kNone;
  uint32_t last_free_ = kNone;
};

DoubleArrayTrie DoubleArrayTrie::Build(std::vector<Entry> entries) {
  SortUnique(entries);
  return DoubleArrayTrieBuilder().Build(entries);
}

std::optional<DoubleArrayTrie::Node> DoubleArrayTrie::Walk(std::string_view bytes) const {
  Node node = root();
  for (const char byte : bytes) {
    if (!Step(static_cast<unsigned char>(byte), node)) return std::nullopt;
  }
  return node;
}

std::optional<uint32_t> DoubleArrayTrie::Find(std::string_view key) const {
  const std::optional<Node> node = Walk(key);
  if (!node || !node->has_value()) return std::nullopt;
  return node->value();
}

}  // namespace embedding
