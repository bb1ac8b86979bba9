#include "model/special_tokens.h"

#include <charconv>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/quoted.h"
#include "weights/path.h"

namespace embedding {
namespace {

// A token as its text, or as an object with its flags; `special` makes it so whatever it says.
Result<AddedToken> ReadToken(const JsonValue& value, bool special) {
  AddedToken token;
  token.special = special || value.is_string();
  if (value.is_string()) {
    ASSIGN_OR_RETURN(token.content, value.AsString());
    return token;
  }
  if (!value.is_object()) return value.Wrong("a token's text, or an object with its content");
  ASSIGN_OR_RETURN(token.content, value.String("content"));
  if (!special) {
    ASSIGN_OR_RETURN(token.special, value.Bool("special", false));
  }
  ASSIGN_OR_RETURN(token.normalized, value.Bool("normalized", !token.special));
  ASSIGN_OR_RETURN(token.single_word, value.Bool("single_word", false));
  ASSIGN_OR_RETURN(token.lstrip, value.Bool("lstrip", false));
  ASSIGN_OR_RETURN(token.rstrip, value.Bool("rstrip", false));
  return token;
}

// One that has a name is special whatever it says.
Result<AddedToken> ReadNamed(const JsonValue& value, bool special) {
  ASSIGN_OR_RETURN(AddedToken token, ReadToken(value, special));
  token.special = true;
  return token;
}

// Whether a list is a list: an object has tokens by their names.
Status ReadList(const JsonValue& value, bool special, SpecialTokens& tokens, TokenList& list) {
  if (value.is_object()) {
    for (const auto& [name, token] : value.Fields()) {
      ASSIGN_OR_RETURN(tokens.named[std::string(name)], ReadNamed(token, special));
    }
    return {};
  }
  if (!list) list.emplace();
  if (value.is_null()) return {};
  if (!value.is_array()) return value.Wrong("an array of tokens, or an object of them");
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, value.Elements());
  for (const JsonValue& token : elements) {
    ASSIGN_OR_RETURN(list->emplace_back(), ReadToken(token, special));
  }
  return {};
}

Status ReadName(const std::string& name, const JsonValue& value, bool special,
                SpecialTokens& tokens) {
  const bool counts = value.is_null() || value.is_string() || value.is_object();
  if (!counts) return {};  // "add_bos_token", which is no token
  tokens.named.erase(name);
  tokens.nulls.erase(name);
  tokens.texts.erase(name);
  if (value.is_null()) {
    tokens.nulls.insert(name);
    return {};
  }
  if (value.is_string()) tokens.texts.insert(name);
  ASSIGN_OR_RETURN(tokens.named[name], ReadNamed(value, special));
  return {};
}

// Of a name the later file counts; lists are joined.
Status ReadFields(const JsonValue& file, bool special, SpecialTokens& tokens) {
  for (const auto& [name, value] : file.Fields()) {
    if (name == "extra_special_tokens") {
      RETURN_IF_ERROR(ReadList(value, special, tokens, tokens.extra));
    } else if (name == "additional_special_tokens") {
      RETURN_IF_ERROR(ReadList(value, special, tokens, tokens.additional));
    } else if (!name.ends_with("_token")) {
      continue;
    } else {
      RETURN_IF_ERROR(ReadName(std::string(name), value, special, tokens));
    }
  }
  return {};
}

Result<int32_t> ReadId(const JsonValue& decoder, std::string_view text) {
  int32_t id = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error == std::errc() && end == text.data() + text.size() && id >= 0) return id;
  return decoder.Fail("must be an object of token ids, but one of them is " + Quoted(text));
}

// added_tokens_decoder: a token for each id.
Status ReadDecoder(const JsonValue& decoder, SpecialTokens& tokens) {
  if (!decoder.is_object()) return decoder.Wrong("an object of tokens");
  tokens.has_decoder = true;
  std::unordered_set<std::string_view> named;
  for (const auto& [name, token] : tokens.named) named.insert(token.content);
  for (const auto& [key, value] : decoder.Fields()) {
    ASSIGN_OR_RETURN(const int32_t id, ReadId(decoder, key));
    ASSIGN_OR_RETURN(AddedToken token, ReadToken(value, false));
    token.id = id;
    token.special = token.special || named.contains(token.content);
    tokens.with_ids.push_back(std::move(token));
  }
  return {};
}

// The texts of the tokens that are special, be it by a name or in a list.
std::unordered_set<std::string_view> SpecialContents(const SpecialTokens& tokens) {
  std::unordered_set<std::string_view> contents;
  for (const auto& [name, token] : tokens.named) contents.insert(token.content);
  if (!tokens.extra) return contents;
  for (const AddedToken& token : *tokens.extra) contents.insert(token.content);
  return contents;
}

// added_tokens.json: an id of each text.
Status ReadAddedTokensFile(const std::string& path, SpecialTokens& tokens) {
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
  const std::unordered_set<std::string_view> special = SpecialContents(tokens);
  for (const auto& [content, value] : file.Fields()) {
    ASSIGN_OR_RETURN(const int64_t id, value.AsInteger(0, INT32_MAX));
    AddedToken token = {.content = std::string(content), .id = static_cast<int32_t>(id)};
    token.special = special.contains(content);
    token.normalized = !token.special;
    tokens.with_ids.push_back(std::move(token));
  }
  return {};
}

}  // namespace

std::string SpecialTokens::Text(std::string_view name) const {
  const auto found = named.find(name);
  return found == named.end() ? "" : found->second.content;
}

Result<SpecialTokens> ReadSpecialTokens(const std::string& directory, const JsonValue& config) {
  const std::filesystem::path folder(directory);
  SpecialTokens tokens;
  RETURN_IF_ERROR(ReadFields(config, false, tokens));
  // A list by the old name counts where there is none by the new one.
  if (tokens.additional && (!tokens.extra || tokens.extra->empty())) {
    tokens.extra = std::exchange(tokens.additional, std::nullopt);
  }
  tokens.additional.reset();
  const auto decoder = config.Find("added_tokens_decoder");
  if (decoder) {
    RETURN_IF_ERROR(ReadDecoder(*decoder, tokens));
    return tokens;
  }
  if (const std::string map = (folder / "special_tokens_map.json").string(); IsThere(map)) {
    ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(map));
    RETURN_IF_ERROR(ReadFields(file, true, tokens));
  }
  if (const std::string file = (folder / "added_tokens.json").string(); IsThere(file)) {
    RETURN_IF_ERROR(ReadAddedTokensFile(file, tokens));
  }
  return tokens;
}

AddedTokenOverrides AddedBy(const SpecialTokens& tokens, const TokenList& of_class) {
  AddedTokenOverrides added;
  added.with_ids = tokens.with_ids;
  added.with_ids_win = tokens.has_decoder;
  std::map<std::string, AddedToken, std::less<>> others = tokens.named;
  for (const std::string_view name : kTokenNames) {
    const auto named = others.find(name);
    if (named == others.end()) continue;
    added.without_ids.push_back(std::move(named->second));
    others.erase(named);
  }
  for (auto& [name, token] : others) added.without_ids.push_back(std::move(token));
  const TokenList& list = tokens.extra ? tokens.extra : of_class;
  if (list) added.without_ids.insert(added.without_ids.end(), list->begin(), list->end());
  return added;
}

}  // namespace embedding
