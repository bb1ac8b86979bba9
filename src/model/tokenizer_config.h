// tokenizer_config.json and the files beside it: what transformers' tokenizer classes put in place
// of what tokenizer.json says.
//
// Fields that change nothing here: padding_side, since nothing is padded; add_bos_token and
// add_eos_token, which transformers does not read where there is a tokenizer.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

// The shortest limit of a text's tokens: two special tokens, and a token of the text.
inline constexpr int64_t kMinSequence = 3;

struct TokenizerConfig {
  TokenizerOverrides overrides;
  // Whether the model is given token types; without them all are 0.
  bool has_token_types = true;
  // Which end of a text that is too long is cut; what tokenizer.json says if empty.
  std::optional<bool> truncates_left;
  std::optional<size_t> model_max_length;
};

// Reads the file of `directory`, where an absent one means what it means to transformers: the class
// `default_class`, and that class's defaults. Errors: kModelLoad, naming file and field.
Result<TokenizerConfig> ReadTokenizerConfig(const std::string& directory,
                                            const std::string& default_class);

}  // namespace embedding
