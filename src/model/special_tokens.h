// The tokens that transformers adds to those of tokenizer.json: what tokenizer_config.json,
// special_tokens_map.json and added_tokens.json say of them.
#pragma once

#include <map>
#include <string>

#include "base/json_value.h"
#include "base/result.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

struct SpecialTokens {
  AddedTokenOverrides added;
  // By name, "cls_token".
  std::map<std::string, std::string> named;
};

// `config` is the tokenizer_config.json of `directory`. With an added_tokens_decoder in it the
// other two files are of no account. Errors: kModelLoad, naming file and field.
Result<SpecialTokens> ReadSpecialTokens(const std::string& directory, const JsonValue& config);

}  // namespace embedding
