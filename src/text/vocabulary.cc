#include "text/vocabulary.h"

#include <algorithm>
#include <cstddef>

namespace embedding {

Result<Vocabulary> Vocabulary::Build(const std::vector<Piece>& pieces) {
  uint32_t id_limit = 0;
  size_t total_bytes = 0;
  for (const Piece& piece : pieces) {
    if (piece.id > kMaxId) {
      return Error{ErrorCode::kModelLoad,
                   "the id " + std::to_string(piece.id) + " is above " + std::to_string(kMaxId),
                   ""};
    }
    id_limit = std::max(id_limit, piece.id + 1);
    total_bytes += piece.text.size();
  }
  if (total_bytes > UINT32_MAX) {
    return Error{ErrorCode::kModelLoad, "the vocabulary has more than 4 GiB of text", ""};
  }
  std::vector<const Piece*> by_id(id_limit, nullptr);
  std::vector<DoubleArrayTrie::Entry> entries;
  entries.reserve(pieces.size());
  for (const Piece& piece : pieces) {
    if (by_id[piece.id] != nullptr) {
      return Error{ErrorCode::kModelLoad,
                   "the id " + std::to_string(piece.id) + " is given to two pieces", ""};
    }
    by_id[piece.id] = &piece;
    entries.push_back({piece.text, piece.id});
  }
  Vocabulary vocabulary;
  vocabulary.size_ = pieces.size();
  vocabulary.texts_.reserve(total_bytes);
  vocabulary.offsets_.reserve(size_t{id_limit} + 1);
  vocabulary.offsets_.push_back(0);
  for (const Piece* piece : by_id) {
    if (piece != nullptr) vocabulary.texts_ += piece->text;
    vocabulary.offsets_.push_back(static_cast<uint32_t>(vocabulary.texts_.size()));
  }
  vocabulary.trie_ = DoubleArrayTrie::Build(std::move(entries));
  return vocabulary;
}

std::string_view Vocabulary::TextOf(int32_t id) const {
  if (id < 0 || static_cast<size_t>(id) >= id_limit()) return {};
  const auto i = static_cast<size_t>(id);
  return std::string_view(texts_).substr(offsets_[i], offsets_[i + 1] - offsets_[i]);
}

}  // namespace embedding
