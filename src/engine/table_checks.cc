#include "engine/table_checks.h"

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>

namespace embedding {
namespace {

template <typename... Args>
Error TokenizerError(const ModelSpec& spec, fmt::format_string<Args...> format, Args&&... args) {
  return Error{ErrorCode::kModelLoad, fmt::format(format, std::forward<Args>(args)...), {}}.At(
      spec.tokenizer.path);
}

// Of what a post-processor adds to `what`.
Status CheckAdditions(const TemplateSize& size, std::string_view what, const ModelSpec& spec) {
  const Encoder& encoder = spec.encoder();
  const bool uses_types = spec.tokenizer.has_token_types && encoder.token_types > 0;
  if (uses_types && size.types > encoder.token_types) {
    return TokenizerError(spec,
                          "post_processor gives tokens of {} the type {}, but config.json's "
                          "type_vocab_size is {}: token_type_embeddings has types up to {}",
                          what, size.types - 1, encoder.token_types, encoder.token_types - 1);
  }
  // Whoever cuts a text cuts none of these.
  if (size.special_tokens >= spec.max_seq_length) {
    return TokenizerError(spec,
                          "post_processor adds {} special tokens to {}, but the model takes {} "
                          "tokens in all (config.json's max_position_embeddings is {}), which "
                          "leaves none for the text",
                          size.special_tokens, what, spec.max_seq_length,
                          encoder.positions.first + encoder.max_tokens);
  }
  return {};
}

}  // namespace

Status CheckTables(const Tokenizer& tokenizer, const ModelSpec& spec) {
  if (tokenizer.model_vocab_size() > spec.encoder().vocab_size) {
    return TokenizerError(spec,
                          "the tokenizer has ids up to {}, but the model's vocab_size is {}; the "
                          "two are not of the same model",
                          tokenizer.model_vocab_size() - 1, spec.encoder().vocab_size);
  }
  RETURN_IF_ERROR(CheckAdditions(tokenizer.single_size(), "a text", spec));
  if (!spec.is_classifier()) return {};
  return CheckTablesForPairs(tokenizer, spec);
}

Status CheckTablesForPairs(const Tokenizer& tokenizer, const ModelSpec& spec) {
  return CheckAdditions(tokenizer.pair_size(), "a pair", spec);
}

}  // namespace embedding
