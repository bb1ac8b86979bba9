// "added_tokens" of a tokenizer.json, what a model's other files add to them, and the ids of both.
#include <algorithm>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "text/tokenizer_json.h"

namespace embedding {
namespace {

Result<AddedToken> ParseOne(const JsonValue& element) {
  AddedToken token;
  ASSIGN_OR_RETURN(const std::string content, element.String("content"));
  token.content = content;
  ASSIGN_OR_RETURN(token.single_word, element.Bool("single_word"));
  ASSIGN_OR_RETURN(token.lstrip, element.Bool("lstrip"));
  ASSIGN_OR_RETURN(token.rstrip, element.Bool("rstrip"));
  ASSIGN_OR_RETURN(token.normalized, element.Bool("normalized"));
  if (element.Find("special")) {
    ASSIGN_OR_RETURN(token.special, element.Bool("special"));
  }
  ASSIGN_OR_RETURN(const int64_t id, element.Integer("id", 0, INT32_MAX));
  token.id = static_cast<int32_t>(id);
  return token;
}

bool MeanTheSame(const AddedToken& a, const AddedToken& b) {
  return a.content == b.content && a.single_word == b.single_word && a.lstrip == b.lstrip &&
         a.rstrip == b.rstrip && a.special == b.special && a.normalized == b.normalized;
}

// All tokens in the order in which transformers adds them.
std::vector<AddedToken> Join(std::vector<AddedToken> of_file, AddedTokenOverrides overrides) {
  std::vector<AddedToken> joined = std::move(of_file);
  const size_t of_file_count = joined.size();
  std::stable_sort(overrides.with_ids.begin(), overrides.with_ids.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (AddedToken& token : overrides.with_ids) {
    const auto of_file_end = joined.begin() + static_cast<ptrdiff_t>(of_file_count);
    if (std::none_of(joined.begin(), of_file_end,
                     [&](const AddedToken& known) { return MeanTheSame(known, token); })) {
      joined.push_back(std::move(token));
    }
  }
  std::unordered_set<std::string> known;
  for (const AddedToken& token : joined) known.insert(token.content);
  for (AddedToken& token : overrides.without_ids) {
    if (known.insert(token.content).second) joined.push_back(std::move(token));
  }
  return joined;
}

}  // namespace

Result<std::vector<AddedToken>> ParseAddedTokens(const JsonValue& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, node.Elements());
  std::vector<AddedToken> tokens;
  for (const JsonValue& element : elements) {
    ASSIGN_OR_RETURN(tokens.emplace_back(), ParseOne(element));
  }
  return tokens;
}

std::vector<AddedToken> NumberAddedTokens(std::vector<AddedToken> of_file,
                                          const AddedTokenOverrides& overrides,
                                          const Vocabulary& vocabulary) {
  std::vector<AddedToken> tokens;
  std::unordered_map<std::string, int32_t> id_of;  // by content
  std::unordered_map<int32_t, size_t> index_of;    // by id, in tokens
  auto next_id = static_cast<int32_t>(vocabulary.size());
  for (AddedToken& token : Join(std::move(of_file), overrides)) {
    if (token.content.empty()) continue;
    const auto [known, is_new] = id_of.try_emplace(token.content, 0);
    if (is_new) {
      const std::optional<int32_t> id = vocabulary.IdOf(token.content);
      known->second = id ? *id : next_id++;
    }
    token.id = known->second;
    const auto [place, is_first] = index_of.try_emplace(token.id, tokens.size());
    if (is_first) {
      tokens.push_back(std::move(token));
    } else {
      tokens[place->second] = std::move(token);
    }
  }
  return tokens;
}

}  // namespace embedding
