// Model: words -> tokens.
//
// Thread-safety: immutable; any number of threads may tokenise at once.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "text/vocabulary.h"
#include "text/words.h"

namespace embedding {

class Model {
 public:
  explicit Model(Vocabulary vocabulary) : vocabulary_(std::move(vocabulary)) {}
  virtual ~Model() = default;

  // Appends the tokens of `word` (not empty, valid UTF-8), whose first byte is number `begin`.
  virtual void Tokenize(std::string_view word, uint32_t begin,
                        std::vector<Token>& tokens) const = 0;
  // Makes words come as bytes, rather than as byte_level.h's characters for them, if the model can
  // read those: before it is used. The tokens' texts stay what they are.
  virtual bool TakeBytes() { return false; }
  // What the library calls the token's value; `covered` is the text it stands for.
  virtual std::string_view TextOf(const Token& token, std::string_view covered) const = 0;

  const Vocabulary& vocabulary() const { return vocabulary_; }

 private:
  Vocabulary vocabulary_;
};

struct WordPieceOptions {
  std::string unk_token;
  std::string continuing_subword_prefix;
  size_t max_input_chars_per_word = 100;
};
// Errors: kModelLoad if the vocabulary has no unk_token.
Result<std::unique_ptr<Model>> MakeWordPiece(Vocabulary vocabulary,
                                             const WordPieceOptions& options);

// `scores` by id. With `byte_fallback` an unknown text becomes its bytes ("<0xE2>"), if all of them
// are pieces. Errors: kModelLoad if unk_id is not in the vocabulary.
Result<std::unique_ptr<Model>> MakeUnigram(Vocabulary vocabulary, std::vector<double> scores,
                                           uint32_t unk_id, bool byte_fallback);

struct BpeOptions {
  std::optional<std::string> unk_token;   // of unknown characters, which else leave nothing
  bool fuse_unk = false;                  // one for unknown characters side by side
  bool byte_fallback = false;             // rather bytes ("<0xE2>"), where all of them are pieces
  bool ignore_merges = false;             // a word that is a piece is that, whatever merges to it
  std::string continuing_subword_prefix;  // of pieces that do not begin a word
  std::string end_of_word_suffix;         // of those that end one
};
// Two pieces that become one.
using MergePair = std::pair<std::string_view, std::string_view>;
// `merges` in the order in which they are done. Errors: kModelLoad for a merge of or to what is no
// piece, and if the vocabulary lacks the unk_token and could need it.
Result<std::unique_ptr<Model>> MakeBpe(Vocabulary vocabulary, const std::vector<MergePair>& merges,
                                       const BpeOptions& options);

// A word is one token. Errors: kModelLoad if the vocabulary has no unk_token.
Result<std::unique_ptr<Model>> MakeWordLevel(Vocabulary vocabulary, std::string_view unk_token);

}  // namespace embedding
