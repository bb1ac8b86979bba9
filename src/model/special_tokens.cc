#include "model/special_tokens.h"

#include <array>
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

// The named tokens in the order in which they are added; those of a model's own names follow.
constexpr std::array<std::string_view, 7> kNames = {
    "bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token"};

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

// What the files say. Of a name the later one counts; lists are joined.
struct Fields {
  std::map<std::string, AddedToken, std::less<>> named;
  std::optional<std::vector<AddedToken>> extra;       // extra_special_tokens
  std::optional<std::vector<AddedToken>> additional;  // its name of before transformers 5
};

Status ReadList(const JsonValue& value, bool special, Fields& fields,
                std::optional<std::vector<AddedToken>>& list) {
  if (value.is_object()) {  // by name
    for (const auto& [name, token] : value.Fields()) {
      ASSIGN_OR_RETURN(fields.named[std::string(name)], ReadNamed(token, special));
    }
    return {};
  }
  if (!value.is_array()) return value.Wrong("an array of tokens, or an object of them");
  ASSIGN_OR_RETURN(const std::vector<JsonValue> tokens, value.Elements());
  if (tokens.empty()) return {};
  if (!list) list.emplace();
  for (const JsonValue& token : tokens) {
    ASSIGN_OR_RETURN(list->emplace_back(), ReadToken(token, special));
  }
  return {};
}

Status ReadFields(const JsonValue& file, bool special, Fields& fields) {
  for (const auto& [name, value] : file.Fields()) {
    if (value.is_null()) {
      fields.named.erase(std::string(name));
      continue;
    }
    if (name == "extra_special_tokens") {
      RETURN_IF_ERROR(ReadList(value, special, fields, fields.extra));
    } else if (name == "additional_special_tokens") {
      RETURN_IF_ERROR(ReadList(value, special, fields, fields.additional));
    } else if (name.ends_with("_token") && (value.is_string() || value.is_object())) {
      ASSIGN_OR_RETURN(fields.named[std::string(name)], ReadNamed(value, special));
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
Status ReadDecoder(const JsonValue& decoder, const Fields& fields, AddedTokenOverrides& added) {
  if (!decoder.is_object()) return decoder.Wrong("an object of tokens");
  added.with_ids_win = true;
  std::unordered_set<std::string_view> named;
  for (const auto& [name, token] : fields.named) named.insert(token.content);
  for (const auto& [key, value] : decoder.Fields()) {
    ASSIGN_OR_RETURN(const int32_t id, ReadId(decoder, key));
    ASSIGN_OR_RETURN(AddedToken token, ReadToken(value, false));
    token.id = id;
    token.special = token.special || named.contains(token.content);
    added.with_ids.push_back(std::move(token));
  }
  return {};
}

// The texts of the tokens that are special, be it by a name or in a list.
std::unordered_set<std::string_view> SpecialContents(const Fields& fields) {
  std::unordered_set<std::string_view> contents;
  for (const auto& [name, token] : fields.named) contents.insert(token.content);
  if (!fields.extra) return contents;
  for (const AddedToken& token : *fields.extra) contents.insert(token.content);
  return contents;
}

// added_tokens.json: an id of each text.
Status ReadAddedTokensFile(const std::string& path, const Fields& fields,
                           AddedTokenOverrides& added) {
  ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(path));
  const std::unordered_set<std::string_view> special = SpecialContents(fields);
  for (const auto& [content, value] : file.Fields()) {
    ASSIGN_OR_RETURN(const int64_t id, value.AsInteger(0, INT32_MAX));
    AddedToken token = {.content = std::string(content), .id = static_cast<int32_t>(id)};
    token.special = special.contains(content);
    token.normalized = !token.special;
    added.with_ids.push_back(std::move(token));
  }
  return {};
}

}  // namespace

Result<SpecialTokens> ReadSpecialTokens(const std::string& directory, const JsonValue& config) {
  const std::filesystem::path folder(directory);
  SpecialTokens tokens;
  Fields fields;
  RETURN_IF_ERROR(ReadFields(config, false, fields));
  if (!fields.extra) fields.extra = std::exchange(fields.additional, std::nullopt);
  if (const auto decoder = config.Find("added_tokens_decoder")) {
    RETURN_IF_ERROR(ReadDecoder(*decoder, fields, tokens.added));
  } else {
    if (const std::string map = (folder / "special_tokens_map.json").string(); IsThere(map)) {
      ASSIGN_OR_RETURN(const JsonValue file, JsonValue::ObjectFromFile(map));
      RETURN_IF_ERROR(ReadFields(file, true, fields));
    }
    if (const std::string file = (folder / "added_tokens.json").string(); IsThere(file)) {
      RETURN_IF_ERROR(ReadAddedTokensFile(file, fields, tokens.added));
    }
  }
  // A list by the old name counts where there is none by the new one.
  if (!fields.extra) fields.extra = std::move(fields.additional);
  for (const std::string_view name : kNames) {
    const auto named = fields.named.find(name);
    if (named == fields.named.end()) continue;
    tokens.named.emplace(name, named->second.content);
    tokens.added.without_ids.push_back(named->second);
    fields.named.erase(named);
  }
  for (auto& [name, token] : fields.named) tokens.added.without_ids.push_back(std::move(token));
  if (fields.extra) {
    tokens.added.without_ids.insert(tokens.added.without_ids.end(), fields.extra->begin(),
                                    fields.extra->end());
  }
  return tokens;
}

}  // namespace embedding
