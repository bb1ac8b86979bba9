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
  ASSIGN_OR_RETURN(token.content, element.String("content"));
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
  std::unordered_map<std::string, AddedToken> of_file_by_content;
  std::unordered_set<std::string> known;
  std::unordered_set<int32_t> known_ids;
  for (const AddedToken& token : joined) {
    of_file_by_content.insert_or_assign(token.content, token);
    known.insert(token.content);
    known_ids.insert(token.id);
  }
  std::stable_sort(overrides.with_ids.begin(), overrides.with_ids.end(),
                   [](const AddedToken& a, const AddedToken& b) { return a.id < b.id; });
  for (AddedToken& token : overrides.with_ids) {
    const auto same = of_file_by_content.find(token.content);
    if (same != of_file_by_content.end() &&
        (!overrides.with_ids_win || MeanTheSame(same->second, token))) {
      continue;
    }
    if (!overrides.with_ids_win && known_ids.contains(token.id)) continue;
    known.insert(token.content);
    joined.push_back(std::move(token));
  }
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
