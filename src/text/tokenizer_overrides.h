// What a model's other files put in place of what its tokenizer.json says, as transformers'
// tokenizer classes do it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_value.h"
#include "text/added_tokens.h"
#include "text/post_processor.h"

namespace embedding {

// Tokens beside those of tokenizer.json.
struct AddedTokenOverrides {
  // Whether tokenizer.json's own are of no account.
  bool replace_documents = false;
  // Those that have an id, which decides their order and nothing else.
  std::vector<AddedToken> with_ids;
  // Whether one of these that differs from tokenizer.json's of the same text is in its place.
  bool with_ids_win = false;
  // Those that have none. They are added unless a token of this text is there.
  std::vector<AddedToken> without_ids;
};

// What is put around a text and a pair, of tokens by their texts.
struct NamedPostProcessor {
  struct Piece {
    Template::Piece::Kind kind;
    int32_t type_id;
    std::string token = {};  // of a special token
  };
  std::vector<Piece> single;
  std::vector<Piece> pair;
  // An OffsetTrim, and its field.
  bool trims_offsets = false;
  bool adds_prefix_space = false;
};

struct TokenizerOverrides {
  // Parts of a tokenizer.json, in place of those of the document: "normalizer", "pre_tokenizer",
  // "decoder", and "model" with all that one says but for its type, vocabulary and merges. What is
  // absent is the document's.
  std::optional<JsonValue> parts = {};
  std::optional<NamedPostProcessor> post_processor = {};
  AddedTokenOverrides added_tokens = {};
  // The scores of a Unigram model are the doubles nearest to the document's numbers, as Python
  // reads them, and not what the `tokenizers` library makes of these (unigram_scores.h).
  bool nearest_scores = false;
  // Special tokens are not looked for in a text.
  bool split_special_tokens = false;
  // Lower-cases before anything else, unless a normalizer does so anyway.
  bool lowercase_first = false;
};

}  // namespace embedding
