// Vocabulary: the pieces of a model and their ids, both ways.
//
// Thread-safety: immutable after Build.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/double_array_trie.h"

namespace embedding {

class Vocabulary {
 public:
  struct Piece {
    std::string_view text;
    uint32_t id;
  };
  static constexpr uint32_t kMaxId = DoubleArrayTrie::kMaxValue;

  // Of pieces with the same text the one with the largest id is found by its text, as in
  // `tokenizers`. Errors: kModelLoad if an id is above kMaxId or given twice.
  static Result<Vocabulary> Build(const std::vector<Piece>& pieces);

  std::optional<int32_t> IdOf(std::string_view text) const {
    const std::optional<uint32_t> id = trie_.Find(text);
    return id ? std::optional<int32_t>(static_cast<int32_t>(*id)) : std::nullopt;
  }
  // The piece's text, or empty for no such id.
  std::string_view TextOf(int32_t id) const;

  // How many ids there are, and the largest of them plus one.
  size_t size() const { return size_; }
  size_t id_limit() const { return offsets_.size() - 1; }
  const DoubleArrayTrie& trie() const { return trie_; }

 private:
  std::string texts_;              // of all pieces, in the order of their ids
  std::vector<uint32_t> offsets_;  // of each id's text in texts_, and its end
  size_t size_ = 0;
  DoubleArrayTrie trie_;
};

}  // namespace embedding
