#include "engine/request_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/utf8.h"
#include "text/strip.h"

namespace embedding {
namespace {

Error Invalid(std::string field, std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message), std::move(field)};
}

// Token ids of text `i` as they came, cut to what the model takes.
Result<Encoding> TakeIds(const std::vector<int32_t>& ids, size_t i, const EncodeOptions& options,
                         size_t vocab_size) {
  const std::string field = fmt::format("texts[{}]", i);
  if (ids.empty()) return Invalid(field, field + " has no token ids");
  for (const int32_t id : ids) {
    if (id < 0 || static_cast<size_t>(id) >= vocab_size) {
      return Invalid(field, fmt::format("{} has the token id {}; the model's go from 0 to {}",
                                        field, id, vocab_size - 1));
    }
  }
  const auto kept = static_cast<ptrdiff_t>(std::min(ids.size(), options.max_tokens));
  Encoding encoding;
  encoding.untruncated_tokens = ids.size();
  if (options.truncation_side == TruncationSide::kRight) {
    encoding.ids.assign(ids.begin(), ids.begin() + kept);
  } else {
    encoding.ids.assign(ids.end() - kept, ids.end());
  }
  encoding.type_ids.assign(encoding.ids.size(), 0);
  return encoding;
}

// What is given for all models is not meant for a classifier that has no such prompt.
std::optional<std::string> DefaultPromptOf(const ModelSpec& spec,
                                           const std::optional<std::string>& given) {
  if (given && (!spec.is_classifier() || spec.prompts.contains(*given))) return given;
  return spec.default_prompt_name;
}

TruncationSide SideOf(const ModelSpec& spec, const Tokenizer& tokenizer) {
  if (!spec.tokenizer.truncates_left) return tokenizer.truncation_side();
  return *spec.tokenizer.truncates_left ? TruncationSide::kLeft : TruncationSide::kRight;
}

}  // namespace

RequestEncoder::RequestEncoder(const ModelSpec& spec, const ModelInfo& info,
                               const Tokenizer& tokenizer,
                               const std::optional<std::string>& default_prompt_name)
    : spec_(spec),
      info_(info),
      tokenizer_(tokenizer),
      default_prompt_name_(DefaultPromptOf(spec, default_prompt_name)),
      truncation_side_(SideOf(spec, tokenizer)) {}

Result<std::string> RequestEncoder::PromptOf(const EmbedRequest& request) const {
  const bool is_pairs = !request.text_pairs.empty() || request.query;
  const bool takes_default = request.input_ids.empty() && (info_.is_classifier() || !is_pairs);
  const std::optional<std::string>& name =
      request.prompt_name || !takes_default ? request.prompt_name : default_prompt_name_;
  if (!name) return std::string();
  if (!request.input_ids.empty()) {
    return Invalid("prompt_name", "prompt_name: a prompt cannot be put before token ids");
  }
  const auto found = spec_.prompts.find(*name);
  if (found == spec_.prompts.end()) {
    std::string known;
    for (const auto& [key, prompt] : spec_.prompts) known += (known.empty() ? "" : ", ") + key;
    return Invalid("prompt_name", known.empty()
                                      ? fmt::format("prompt_name: {} has no prompts", info_.name)
                                      : fmt::format("prompt_name: {} has only these prompts: {}",
                                                    info_.name, known));
  }
  return found->second;
}

size_t RequestEncoder::PooledAfter(const std::string& prompt) const {
  const Heads& heads = spec_.heads();
  const PooledVector* const vector = heads.pooled   ? &*heads.pooled
                                     : heads.scores ? &*heads.scores
                                                    : nullptr;
  if (prompt.empty() || vector == nullptr || vector->pools_prompt) return 0;
  const Encoding encoding = EncodeText(prompt, OptionsOf(EmbedRequest()));
  if (encoding.ids.empty()) return 0;
  const std::vector<std::string>& special = spec_.tokenizer.special_tokens;
  const bool ends_specially = encoding.special_mask.back() != 0 ||
                              std::find(special.begin(), special.end(),
                                        tokenizer_.IdToToken(encoding.ids.back())) != special.end();
  return encoding.ids.size() - (ends_specially ? 1 : 0);
}

EncodeOptions RequestEncoder::OptionsOf(const EmbedRequest& request) const {
  return {.add_special_tokens = spec_.tokenizer.adds_special_tokens,
          .max_tokens = std::min(info_.max_input_tokens, request.max_tokens.value_or(SIZE_MAX)),
          .truncation_side = request.truncation_side.value_or(truncation_side_)};
}

Encoding RequestEncoder::EncodeText(std::string_view text, const EncodeOptions& options) const {
  return tokenizer_.Encode(spec_.tokenizer.strips_texts ? StripWhitespace(text) : text, options);
}

Result<std::vector<Job>> RequestEncoder::Encode(const EmbedRequest& request,
                                                EmbedResponse& response) const {
  ASSIGN_OR_RETURN(const std::string prompt, PromptOf(request));
  const EncodeOptions options = OptionsOf(request);
  const size_t pooled_after = PooledAfter(prompt);
  std::vector<Job> jobs(request.size());
  const auto check = [&](const std::string& text, const std::string& field) -> Status {
    response.characters += CountCharacters(text);
    const size_t bad = FindInvalidUtf8(text);
    if (bad == std::string::npos) return {};
    return Error{ErrorCode::kMalformed, fmt::format("{} is not valid UTF-8 at byte {}", field, bad),
                 field};
  };
  std::vector<Encoding> with_query;
  if (request.query) {
    RETURN_IF_ERROR(check(*request.query, "query"));
    for (size_t i = 0; i < jobs.size(); ++i) {
      RETURN_IF_ERROR(check(request.texts[i], fmt::format("texts[{}]", i)));
    }
    // As sentence-transformers' CrossEncoder has it: the prompt is before the first of the two.
    with_query = tokenizer_.EncodePairs(prompt + *request.query, request.texts, options);
  }
  for (size_t i = 0; i < jobs.size(); ++i) {
    const std::string field = fmt::format("texts[{}]", i);
    Encoding encoding;
    if (!request.input_ids.empty()) {
      ASSIGN_OR_RETURN(encoding,
                       TakeIds(request.input_ids[i], i, options, spec_.encoder().vocab_size));
    } else if (request.query) {
      encoding = std::move(with_query[i]);
    } else if (!request.text_pairs.empty()) {
      RETURN_IF_ERROR(check(request.texts[i], field));
      RETURN_IF_ERROR(check(request.text_pairs[i], field));
      encoding = tokenizer_.EncodePair(prompt + request.texts[i], request.text_pairs[i], options);
    } else {
      RETURN_IF_ERROR(check(request.texts[i], field));
      encoding = prompt.empty() ? EncodeText(request.texts[i], options)
                                : EncodeText(prompt + request.texts[i], options);
    }
    if (encoding.truncated()) {
      if (!request.truncate) {
        return Invalid(
            field, fmt::format("{} has {} tokens, more than the {} that {} takes; send "
                               "shorter texts or set truncate to true",
                               field, encoding.untruncated_tokens, options.max_tokens, info_.name));
      }
      ++response.truncated_texts;
    }
    if (encoding.ids.empty() && info_.is_classifier()) {
      return Invalid(field, field + " has no tokens, of which a classifier needs one");
    }
    RETURN_IF_ERROR(CheckIds(encoding.ids, field));
    response.prompt_tokens += encoding.ids.size();
    jobs[i].first_pooled = static_cast<uint32_t>(std::min(pooled_after, encoding.ids.size()));
    jobs[i].ids = std::move(encoding.ids);
    jobs[i].type_ids = std::move(encoding.type_ids);
    if (!spec_.tokenizer.has_token_types)
      std::fill_n(jobs[i].type_ids.begin(), jobs[i].ids.size(), 0);
    jobs[i].index = i;
  }
  return jobs;
}

Status RequestEncoder::CheckIds(const std::vector<int32_t>& ids, const std::string& field) const {
  const size_t rows = spec_.encoder().vocab_size;
  if (tokenizer_.vocab_size() <= rows) return {};
  for (const int32_t id : ids) {
    if (static_cast<size_t>(id) < rows) continue;
    return Invalid(field,
                   fmt::format("{} has the token {}, whose id {} is beyond the {} tokens that "
                               "{} was trained with",
                               field, tokenizer_.IdToToken(id), id, rows, info_.name));
  }
  return {};
}

}  // namespace embedding
