#include "text/tokenizer_components.h"

#include <algorithm>
#include <utility>

#include "text/tokenizer_json.h"

namespace embedding {
namespace {

// As transformers' BertTokenizer makes them, which has no other model than WordPiece.
void MakeBertSteps(const TokenizerOverrides::Bert& bert, TokenizerComponents& components) {
  components.normalizers.push_back(
      MakeBertNormalizer({.handle_chinese_chars = bert.handle_chinese_chars,
                          .strip_accents = bert.strip_accents,
                          .lowercase = bert.lowercase}));
  components.pre_tokenizers.push_back(MakeBertPreTokenizer());
}

// As transformers' XLMRobertaTokenizer makes them where it adds no space before a text.
void MakeStepsWithoutPrefix(TokenizerComponents& components) {
  components.pre_tokenizers.clear();
  components.pre_tokenizers.push_back(MakeWhitespaceSplitPreTokenizer());
  components.pre_tokenizers.push_back(MakeMetaspacePreTokenizer(
      {.replacement = "\u2581", .prepend = MetaspaceOptions::Prepend::kNever}));
}

Status ParseSteps(const JsonNode& document, const TokenizerOverrides& overrides,
                  TokenizerComponents& components) {
  if (const auto normalizer = document.OptionalField("normalizer")) {
    ASSIGN_OR_RETURN(components.normalizers, ParseNormalizers(*normalizer));
  }
  if (const auto pre_tokenizer = document.OptionalField("pre_tokenizer")) {
    ASSIGN_OR_RETURN(components.pre_tokenizers, ParsePreTokenizers(*pre_tokenizer));
  }
  if (overrides.without_prefix_space) MakeStepsWithoutPrefix(components);
  return {};
}

}  // namespace

Result<TokenizerComponents> ParseComponents(const JsonNode& document, std::string_view padded_json,
                                            const TokenizerOverrides& overrides) {
  if (const auto version = document.OptionalField("version")) {
    ASSIGN_OR_RETURN(const std::string_view name, version->String());
    if (name != "1.0") return version->Fail("must be \"1.0\"");
  }
  TokenizerComponents components;
  ASSIGN_OR_RETURN(const JsonNode model, document.Field("model"));
  ASSIGN_OR_RETURN(components.model, ParseModel(model, padded_json));
  ASSIGN_OR_RETURN(const std::string_view model_type, ModelType(model));
  if (overrides.bert && model_type == "WordPiece") {
    MakeBertSteps(*overrides.bert, components);
  } else {
    RETURN_IF_ERROR(ParseSteps(document, overrides, components));
  }
  const bool lowercases = std::any_of(components.normalizers.begin(), components.normalizers.end(),
                                      [](const auto& step) { return step->lowercases(); });
  if (overrides.lowercase_first && !lowercases) {
    components.normalizers.insert(components.normalizers.begin(), MakeLowercaseNormalizer());
  }
  components.post_processor = DefaultPostProcessor();
  if (const auto post_processor = document.OptionalField("post_processor")) {
    ASSIGN_OR_RETURN(components.post_processor, ParsePostProcessor(*post_processor));
  }
  if (const auto decoder = document.OptionalField("decoder")) {
    ASSIGN_OR_RETURN(components.decoder, Decoder::FromJson(*decoder));
  }
  if (const auto added_tokens = document.OptionalField("added_tokens")) {
    ASSIGN_OR_RETURN(components.added_tokens,
                     ParseAddedTokens(*added_tokens, components.model->vocabulary()));
  }
  if (const auto truncation = document.OptionalField("truncation")) {
    if (const auto direction = truncation->OptionalField("direction")) {
      ASSIGN_OR_RETURN(const std::string_view side, direction->String());
      if (side == "Left") components.truncation_side = TruncationSide::kLeft;
    }
  }
  return components;
}

}  // namespace embedding
