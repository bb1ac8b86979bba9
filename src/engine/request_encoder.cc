#include "engine/request_encoder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/utf8.h"

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
      prompted_(spec, tokenizer),
      default_prompt_name_(DefaultPromptOf(spec, default_prompt_name)),
      truncation_side_(SideOf(spec, tokenizer)) {}

Result<Prompt> RequestEncoder::PromptOf(const EmbedRequest& request) const {
  const bool is_pairs = !request.text_pairs.empty() || request.query;
  const bool takes_default = request.input_ids.empty() && (info_.is_classifier() || !is_pairs);
  const std::optional<std::string>& name =
      request.prompt_name || !takes_default ? request.prompt_name : default_prompt_name_;
  if (!name) return Prompt();
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
  return Prompt{found->first, found->second};
}

EncodeOptions RequestEncoder::OptionsOf(const EmbedRequest& request) const {
  const auto own = spec_.limit_of_prompt.find(request.prompt_name.value_or(""));
  const size_t limit = own == spec_.limit_of_prompt.end() ? info_.max_input_tokens : own->second;
  return {.max_tokens = std::min(limit, request.max_tokens.value_or(SIZE_MAX)),
          .truncation_side = request.truncation_side.value_or(truncation_side_)};
}

Result<std::vector<Encoding>> RequestEncoder::Tokenize(const EmbedRequest& request,
                                                       const Prompt& prompt,
                                                       const EncodeOptions& options,
                                                       EmbedResponse& response) const {
  const auto check = [&](const std::string& text, const std::string& field) -> Status {
    response.characters += CountCharacters(text);
    const size_t bad = FindInvalidUtf8(text);
    if (bad == std::string::npos) return {};
    return Error{ErrorCode::kMalformed, fmt::format("{} is not valid UTF-8 at byte {}", field, bad),
                 field};
  };
  const auto field_of = [](size_t i) { return fmt::format("texts[{}]", i); };
  if (request.query) {
    RETURN_IF_ERROR(check(*request.query, "query"));
    for (size_t i = 0; i < request.size(); ++i) {
      RETURN_IF_ERROR(check(request.texts[i], field_of(i)));
    }
    return prompted_.EncodePairs(prompt, *request.query, request.texts, options);
  }
  std::vector<Encoding> encodings;
  encodings.reserve(request.size());
  for (size_t i = 0; i < request.size(); ++i) {
    if (!request.input_ids.empty()) {
      ASSIGN_OR_RETURN(encodings.emplace_back(),
                       TakeIds(request.input_ids[i], i, options, spec_.encoder().vocab_size));
      continue;
    }
    RETURN_IF_ERROR(check(request.texts[i], field_of(i)));
    if (request.text_pairs.empty()) {
      ASSIGN_OR_RETURN(encodings.emplace_back(),
                       prompted_.Encode(prompt, request.texts[i], options));
      continue;
    }
    RETURN_IF_ERROR(check(request.text_pairs[i], field_of(i)));
    ASSIGN_OR_RETURN(auto pair,
                     prompted_.EncodePairs(prompt, request.texts[i],
                                           std::span(request.text_pairs).subspan(i, 1), options));
    encodings.push_back(std::move(pair.front()));
  }
  return encodings;
}

Result<std::vector<Job>> RequestEncoder::Encode(const EmbedRequest& request,
                                                EmbedResponse& response) const {
  ASSIGN_OR_RETURN(const Prompt prompt, PromptOf(request));
  const EncodeOptions options = OptionsOf(request);
  ASSIGN_OR_RETURN(std::vector<Encoding> encodings, Tokenize(request, prompt, options, response));
  const size_t pooled_after = prompted_.PooledAfter(prompt, {.max_tokens = info_.max_input_tokens});
  const auto adapter = spec_.adapter_of_prompt.find(prompt.name);
  std::vector<Job> jobs(request.size());
  for (size_t i = 0; i < jobs.size(); ++i) {
    if (adapter != spec_.adapter_of_prompt.end()) jobs[i].adapter = adapter->second;
    Encoding& encoding = encodings[i];
    const std::string field = fmt::format("texts[{}]", i);
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
