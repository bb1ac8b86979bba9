// DoubleArrayTrie: a map from byte strings to small integers that finds every key that is a prefix
// of a text in one walk.
//
// A walk holds a Node; Step goes down by one byte, and the node reached says whether a key ends
// there. One step is one load from an array of eight-byte units.
//
// Thread-safety: immutable after Build.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace embedding {

class DoubleArrayTrie {
 public:
  struct Entry {
    std::string_view key;
    uint32_t value;
  };
  // Values are 0 to kMaxValue.
  static constexpr uint32_t kMaxValue = (1U << 23) - 2;

  struct Node {
    uint32_t base;
    uint32_t value_plus_one;  // 0 where no key ends

    bool has_value() const { return value_plus_one != 0; }
    uint32_t value() const { return value_plus_one - 1; }
  };

  // Empty keys are left out; of equal keys the one with the largest value stays. The trie keeps no
  // reference to the keys. Costs time in the bytes of all keys, plus sorting them.
  static DoubleArrayTrie Build(std::vector<Entry> entries);

  Node root() const { return {root_base_, 0}; }

  // Goes from `node` to its child by `byte`; false (and `node` unchanged) if it has none.
  bool Step(unsigned char byte, Node& node) const {
    const Unit unit = units_[node.base ^ byte];
    if (unit.label() != byte + 1U) return false;
    node = {unit.base, unit.value_plus_one()};
    return true;
  }

  // Goes down by all of `bytes`; nullopt if there is no such way.
  std::optional<Node> Walk(std::string_view bytes) const;
  std::optional<uint32_t> Find(std::string_view key) const;

 private:
  friend class DoubleArrayTrieBuilder;

  struct Unit {
    uint32_t base = 0;
    uint32_t bits = 0;  // value + 1 << 9 | label + 1; all 0 in a unit that is not in use

    uint32_t label() const { return bits & 0x1FF; }
    uint32_t value_plus_one() const { return bits >> 9; }
  };

  std::vector<Unit> units_;
  uint32_t root_base_ = 0;
};

}  // namespace embedding
