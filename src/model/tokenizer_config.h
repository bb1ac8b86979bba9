// tokenizer_config.json and the files beside it: what a model's tokenizer is made with.
//
// Fields that change nothing here: padding_side, since nothing is padded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"
#include "model/special_tokens.h"
#include "model/tokenizer_classes.h"

namespace embedding {

// The shortest limit of a text's tokens: two special tokens, and a token of the text.
inline constexpr int64_t kMinSequence = 3;

struct TokenizerConfig {
  std::string directory;
  // Of the file that has the vocabulary, whether it is there or not: tokenizer.json or, where there
  // is none, the class's.
  std::string path;
  const TokenizerClass* of_class = nullptr;
  std::string named_class;  // what the files call it, known here or not; empty where none does
  JsonValue file = JsonValue::EmptyObject("");  // tokenizer_config.json
  SpecialTokens tokens;
  bool split_special_tokens = false;
  // Texts are lower-cased before anything else; sentence_bert_config.json says it.
  bool lowercase_first = false;
  // Whether the model is given token types; without them all are 0.
  bool has_token_types = true;
  // Whether a text gets those of the post-processor.
  bool adds_special_tokens = true;
  // Whether white space at the ends of a text is cut before the tokenizer: XLMRobertaTokenizer's
  // pre-tokenizers make nothing of it, while those of the file, which are kept, do.
  bool strips_texts = false;
  // The texts of the tokens that are special by a name, cls_token say, or in a list.
  std::vector<std::string> special_tokens;
  // Which end of a text that is too long is cut; what tokenizer.json says if empty.
  std::optional<bool> truncates_left;
  std::optional<size_t> model_max_length;
};

// Reads the files of `directory`, the vocabulary not, where an absent one means what it means to
// transformers: the class of `config_class` (config.json's tokenizer_class) or else
// `default_class`, the family's, and that class's defaults. Errors: kModelLoad, naming file and
// field.
Result<TokenizerConfig> ReadTokenizerConfig(const std::string& directory,
                                            std::string_view model_type,
                                            const std::string& config_class,
                                            std::string_view default_class);

}  // namespace embedding
