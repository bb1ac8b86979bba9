// Model: words -> tokens.
//
// Thread-safety: immutable; any number of threads may tokenise at once.
#pragma once

#include <memory>
#include <string_view>
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

// `scores` by id. Errors: kModelLoad if unk_id is not in the vocabulary.
Result<std::unique_ptr<Model>> MakeUnigram(Vocabulary vocabulary, std::vector<double> scores,
                                           uint32_t unk_id);

}  // namespace embedding
