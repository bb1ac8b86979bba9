// What a model's other files put in place of what its tokenizer.json says, as transformers'
// tokenizer classes do it.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/added_tokens.h"
#include "text/normalizer.h"

namespace embedding {

// Tokens beside those of tokenizer.json.
struct AddedTokenOverrides {
  // Those that have an id, which decides their order and nothing else.
  std::vector<AddedToken> with_ids;
  // Whether one of these that differs from tokenizer.json's of the same text is in its place.
  bool with_ids_win = false;
  // Those that have none. They are added unless a token of this text is there.
  std::vector<AddedToken> without_ids;
};

struct TokenizerOverrides {
  enum class Class {
    kPlain,       // takes tokenizer.json as it is
    kBert,        // BertTokenizer, of a WordPiece model
    kXlmRoberta,  // XLMRobertaTokenizer, of a Unigram model
  };
  Class of_class = Class::kPlain;

  // Of kBert, in place of the normalizers and pre-tokenizers, and of the token of unknown words.
  BertNormalizerOptions bert;
  std::string unk_token = {};
  // Of kXlmRoberta: whether its pre-tokenizers are in place of the file's. (Since transformers 5
  // they always are; before, only if they say something else. They differ in white space before a
  // special token, and in what is invisible at the end of a text.)
  bool without_prefix_space = false;
  // Of both: the tokens before and after a text. Where the file's post-processor puts others there,
  // or kBert's file has none, the class's is in its place.
  std::string first_token = {};
  std::string last_token = {};

  AddedTokenOverrides added_tokens = {};
  // Special tokens are not looked for in a text.
  bool split_special_tokens = false;
  // Lower-cases before anything else, unless a normalizer does so anyway.
  bool lowercase_first = false;
};

}  // namespace embedding
