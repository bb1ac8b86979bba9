#include "engine/prompted_tokenizer.h"

#include <algorithm>
#include <utility>

#include "text/strip.h"

namespace embedding {

PromptedTokenizer::PromptedTokenizer(const ModelSpec& spec, const Tokenizer& tokenizer)
    : spec_(spec), tokenizer_(tokenizer) {
  if (!spec.messages) return;
  of_texts_ = Prepare(spec.messages->of_texts);
  of_pairs_ = Prepare(spec.messages->of_pairs);
}

// The end is what two renders have in common whose texts end in different tokens; none where they
// do not differ at all.
PromptedTokenizer::Templates PromptedTokenizer::Prepare(
    const std::map<std::string, RenderedTemplate>& rendered) const {
  Templates templates;
  for (const auto& [prompt, pieces] : rendered) {
    Rendered& prepared = templates[prompt];
    prepared.pieces = pieces;
    const auto encode = [&](std::string_view text) {
      return tokenizer_.Encode(Fill(prepared.pieces, text, text), {.add_special_tokens = false})
          .ids;
    };
    const std::vector<int32_t> one = encode("0");
    const std::vector<int32_t> other = encode("1 2 3 4");
    const auto same = std::mismatch(one.rbegin(), one.rend(), other.rbegin(), other.rend());
    if (same.first == one.rend() || same.second == other.rend()) continue;
    prepared.end.assign(same.first.base(), one.end());
  }
  return templates;
}

Encoding PromptedTokenizer::EncodePlain(std::string_view text, const EncodeOptions& options) const {
  return tokenizer_.Encode(spec_.tokenizer.strips_texts ? StripWhitespace(text) : text, options);
}

// A text that is cut ends as the template does all the same: a language model answers there.
Encoding PromptedTokenizer::EncodeFilled(const Rendered& rendered, std::string_view first,
                                         std::string_view second, EncodeOptions options) const {
  options.add_special_tokens = false;
  Encoding encoding = tokenizer_.Encode(Fill(rendered.pieces, first, second), options);
  if (!encoding.truncated()) return encoding;
  const size_t kept = std::min(rendered.end.size(), encoding.ids.size());
  std::copy(rendered.end.end() - static_cast<ptrdiff_t>(kept), rendered.end.end(),
            encoding.ids.end() - static_cast<ptrdiff_t>(kept));
  return encoding;
}

Result<const PromptedTokenizer::Rendered*> PromptedTokenizer::Find(const Templates& templates,
                                                                   const std::string& prompt,
                                                                   const std::string& reason) {
  const auto found = templates.find(prompt);
  if (found != templates.end()) return &found->second;
  return Error{ErrorCode::kUnsupported, reason, {}};
}

Result<Encoding> PromptedTokenizer::Encode(const Prompt& prompt, std::string_view text,
                                           EncodeOptions options) const {
  if (spec_.messages) {
    ASSIGN_OR_RETURN(const Rendered* const rendered,
                     Find(of_texts_, prompt.name, spec_.messages->without_texts));
    return EncodeFilled(*rendered, text, {}, options);
  }
  options.add_special_tokens = spec_.tokenizer.adds_special_tokens;
  if (prompt.text.empty()) return EncodePlain(text, options);
  return EncodePlain(prompt.text + std::string(text), options);
}

Result<std::vector<Encoding>> PromptedTokenizer::EncodePairs(const Prompt& prompt,
                                                             std::string_view first,
                                                             std::span<const std::string> seconds,
                                                             EncodeOptions options) const {
  if (!spec_.messages) {
    options.add_special_tokens = spec_.tokenizer.adds_special_tokens;
    return tokenizer_.EncodePairs(prompt.text + std::string(first), seconds, options);
  }
  ASSIGN_OR_RETURN(const Rendered* const rendered,
                   Find(of_pairs_, prompt.name, spec_.messages->without_pairs));
  std::vector<Encoding> encodings;
  encodings.reserve(seconds.size());
  for (const std::string& second : seconds) {
    encodings.push_back(EncodeFilled(*rendered, first, second, options));
  }
  return encodings;
}

size_t PromptedTokenizer::PooledAfter(const Prompt& prompt, EncodeOptions options) const {
  const Heads& heads = spec_.heads();
  const PooledVector* const vector = heads.pooled   ? &*heads.pooled
                                     : heads.scores ? &*heads.scores
                                                    : nullptr;
  const bool pools_all = vector == nullptr || vector->pools_prompt;
  if (prompt.text.empty() || pools_all || spec_.messages) return 0;
  options.add_special_tokens = spec_.tokenizer.adds_special_tokens;
  const Encoding encoding = EncodePlain(prompt.text, options);
  if (encoding.ids.empty()) return 0;
  const std::vector<std::string>& special = spec_.tokenizer.special_tokens;
  const bool ends_specially = encoding.special_mask.back() != 0 ||
                              std::find(special.begin(), special.end(),
                                        tokenizer_.IdToToken(encoding.ids.back())) != special.end();
  return encoding.ids.size() - (ends_specially ? 1 : 0);
}

}  // namespace embedding
