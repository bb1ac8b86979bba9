// WordPiece: a word is cut greedily, each time into the longest piece that the rest begins with.
// A piece that does not begin the word is in the vocabulary with a prefix ("##"): the walk for it
// starts at the trie's node of that prefix. A word that cannot be cut is one unknown token.
#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include "base/quoted.h"
#include "text/model.h"

namespace embedding {
namespace {

class WordPiece : public Model {
 public:
  WordPiece(Vocabulary vocabulary, const WordPieceOptions& options, int32_t unk_id)
      : Model(std::move(vocabulary)),
        max_chars_(options.max_input_chars_per_word),
        unk_id_(unk_id),
        continuing_(trie().Walk(options.continuing_subword_prefix)) {
    if (continuing_) continuing_->value_plus_one = 0;
  }

  void Tokenize(std::string_view word, uint32_t begin, std::vector<Token>& tokens) const override {
    const size_t tokens_before = tokens.size();
    if (IsTooLong(word) || !Cut(word, begin, tokens)) {
      tokens.resize(tokens_before);
      tokens.push_back({unk_id_, begin, begin + static_cast<uint32_t>(word.size())});
    }
  }

  std::string_view TextOf(const Token& token, std::string_view) const override {
    return vocabulary().TextOf(token.id);
  }

 private:
  const DoubleArrayTrie& trie() const { return vocabulary().trie(); }

  bool IsTooLong(std::string_view word) const {
    if (word.size() <= max_chars_) return false;
    const auto chars = std::count_if(word.begin(), word.end(), [](char c) {
      return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    });
    return static_cast<size_t>(chars) > max_chars_;
  }

  bool Cut(std::string_view word, uint32_t begin, std::vector<Token>& tokens) const {
    for (size_t start = 0; start < word.size();) {
      if (start > 0 && !continuing_) return false;
      DoubleArrayTrie::Node node = start == 0 ? trie().root() : *continuing_;
      DoubleArrayTrie::Node longest = node;
      size_t longest_end = start;
      for (size_t i = start; i < word.size(); ++i) {
        if (!trie().Step(static_cast<unsigned char>(word[i]), node)) break;
        if (!node.has_value()) continue;
        longest = node;
        longest_end = i + 1;
      }
      if (longest_end == start) return false;
      tokens.push_back({static_cast<int32_t>(longest.value()), begin + static_cast<uint32_t>(start),
                        begin + static_cast<uint32_t>(longest_end)});
      start = longest_end;
    }
    return true;
  }

  size_t max_chars_;
  int32_t unk_id_;
  std::optional<DoubleArrayTrie::Node> continuing_;  // of the prefix, if any piece has it
};

}  // namespace

Result<std::unique_ptr<Model>> MakeWordPiece(Vocabulary vocabulary,
                                             const WordPieceOptions& options) {
  const std::optional<int32_t> unk_id = vocabulary.IdOf(options.unk_token);
  if (!unk_id) {
    return Error{ErrorCode::kModelLoad,
                 "the vocabulary lacks the unk_token " + Quoted(options.unk_token), ""};
  }
  return std::unique_ptr<Model>(
      std::make_unique<WordPiece>(std::move(vocabulary), options, *unk_id));
}

}  // namespace embedding
