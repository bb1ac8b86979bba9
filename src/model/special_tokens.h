// The special and added tokens of a model as its files say them: tokenizer_config.json,
// special_tokens_map.json, added_tokens.json.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"
#include "text/tokenizer_overrides.h"

namespace embedding {

// The names that tokens have in every class, in the order in which transformers adds them; those of
// a model's own names follow.
inline constexpr std::array<std::string_view, 7> kTokenNames = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

using TokenList = std::optional<std::vector<AddedToken>>;

struct SpecialTokens {
  // By name, "cls_token".
  std::map<std::string, AddedToken, std::less<>> named;
  // The names that are a text alone, without flags, and those that are null.
  std::set<std::string, std::less<>> texts;
  std::set<std::string, std::less<>> nulls;
  // extra_special_tokens, or additional_special_tokens, its name of before transformers 5. No list
  // is not an empty one: that one is in the place of a class's own.
  TokenList extra;
  // What special_tokens_map.json says by the old name, which is an argument of the class.
  TokenList additional;
  // Those of added_tokens_decoder, or else of added_tokens.json.
  std::vector<AddedToken> with_ids;
  bool has_decoder = false;

  // The text of the token of that name, or empty for none.
  std::string Text(std::string_view name) const;
  // Whether the files say which token has that name, be it none.
  bool Say(std::string_view name) const { return named.contains(name) || nulls.contains(name); }
};

// `config` is the tokenizer_config.json of `directory`. With an added_tokens_decoder in it the
// other two files are of no account. Errors: kModelLoad, naming file and field.
Result<SpecialTokens> ReadSpecialTokens(const std::string& directory, const JsonValue& config);

// What is added to a tokenizer for them, in transformers' order: by id, by name, and the lists.
// `of_class` are additional_special_tokens as a class has them; files that say a list by another
// name have none of it.
AddedTokenOverrides AddedBy(const SpecialTokens& tokens, const TokenList& of_class);

}  // namespace embedding
