#include "text/merges.h"

#include <algorithm>
#include <cstddef>
#include <string>

#include "base/utf8.h"
#include "text/double_array_trie.h"

namespace embedding {
namespace {

// Finds which ends of a piece are pieces too: a walk down a trie finds all beginnings, and one of
// the piece's bytes backwards, down a trie of the pieces backwards, all ends.
class PieceEnds {
 public:
  explicit PieceEnds(std::span<const std::string_view> pieces) {
    std::vector<DoubleArrayTrie::Entry> entries;
    std::vector<DoubleArrayTrie::Entry> reversed_entries;
    std::vector<std::string> reversed;
    reversed.reserve(pieces.size());
    for (const std::string_view piece : pieces) {
      const auto id = static_cast<uint32_t>(entries.size());
      entries.push_back({piece, id});
      reversed.emplace_back(piece.rbegin(), piece.rend());
      reversed_entries.push_back({reversed.back(), id});
    }
    forward_ = DoubleArrayTrie::Build(std::move(entries));
    backward_ = DoubleArrayTrie::Build(std::move(reversed_entries));
  }

  // The id that the text has, if it is a piece.
  std::optional<uint32_t> IdOf(std::string_view text) const { return forward_.Find(text); }

  // For each position in `piece` whether what is before it, and what is from it on, is a piece.
  struct Cuts {
    std::vector<bool> before;
    std::vector<bool> behind;
  };
  void Find(std::string_view piece, Cuts& cuts) const {
    cuts.before.assign(piece.size() + 1, false);
    cuts.behind.assign(piece.size() + 1, false);
    DoubleArrayTrie::Node node = forward_.root();
    for (size_t i = 0; i < piece.size(); ++i) {
      if (!forward_.Step(static_cast<unsigned char>(piece[i]), node)) break;
      cuts.before[i + 1] = node.has_value();
    }
    node = backward_.root();
    for (size_t i = piece.size(); i > 0; --i) {
      if (!backward_.Step(static_cast<unsigned char>(piece[i - 1]), node)) break;
      cuts.behind[i - 1] = node.has_value();
    }
  }

 private:
  DoubleArrayTrie forward_;
  DoubleArrayTrie backward_;
};

}  // namespace

std::vector<Merge> GenerateMerges(std::span<const std::string_view> pieces) {
  const PieceEnds ends(pieces);
  PieceEnds::Cuts cuts;
  std::vector<Merge> merges;
  // In the order of ids, and of one piece from left to right: there is nothing to sort.
  for (size_t id = 0; id < pieces.size(); ++id) {
    const std::string_view piece = pieces[id];
    if (ends.IdOf(piece) != static_cast<uint32_t>(id)) continue;  // a later one is the same
    ends.Find(piece, cuts);
    // Between two characters.
    for (size_t i = 1; i < piece.size(); ++i) {
      if (!cuts.before[i] || !cuts.behind[i]) continue;
      merges.push_back({piece.substr(0, i), piece.substr(i)});
    }
  }
  return merges;
}

}  // namespace embedding
