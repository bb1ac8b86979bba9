#include "text/tokenizer_components.h"

#include <algorithm>
#include <utility>

#include "base/quoted.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using Class = TokenizerOverrides::Class;

// As transformers' XLMRobertaTokenizer makes them where it adds no space before a text.
void MakeStepsWithoutPrefix(TokenizerComponents& components) {
  components.pre_tokenizers.clear();
  components.pre_tokenizers.push_back(MakeWhitespaceSplitPreTokenizer());
  components.pre_tokenizers.push_back(MakeMetaspacePreTokenizer(
      {.replacement = "\u2581", .prepend = MetaspaceOptions::Prepend::kNever}));
}

// The model may read bytes, which saves writing them as characters.
void TakeBytes(TokenizerComponents& components) {
  auto& steps = components.pre_tokenizers;
  if (!steps.empty() && steps.back()->makes_byte_characters() && components.model->TakeBytes()) {
    steps.pop_back();
  }
}

Status ParseSteps(const JsonValue& document, const TokenizerOverrides& overrides,
                  TokenizerComponents& components) {
  if (overrides.of_class == Class::kBert) {
    components.normalizers.push_back(MakeBertNormalizer(overrides.bert));
    components.pre_tokenizers.push_back(MakeBertPreTokenizer());
    return {};
  }
  if (const auto normalizer = document.Find("normalizer")) {
    ASSIGN_OR_RETURN(components.normalizers, ParseNormalizers(*normalizer));
  }
  if (const auto pre_tokenizer = document.Find("pre_tokenizer")) {
    ASSIGN_OR_RETURN(components.pre_tokenizers, ParsePreTokenizers(*pre_tokenizer));
  }
  if (overrides.without_prefix_space) MakeStepsWithoutPrefix(components);
  return {};
}

std::string NameOr(const std::string& otherwise, const std::string& name) {
  return name.empty() ? otherwise : name;
}

Result<int32_t> IdOf(const std::string& special, const TokenizerComponents& components) {
  for (const AddedToken& token : components.added_tokens) {
    if (token.content == special) return token.id;
  }
  if (const auto id = components.model->vocabulary().IdOf(special)) return *id;
  return Error{ErrorCode::kModelLoad,
               "the special token " + Quoted(special) + " is no token of the vocabulary", ""};
}

// The class's post-processor, if the overrides name other tokens than the file's puts around a
// text.
Result<std::optional<PostProcessor>> OtherPostProcessor(const JsonValue& post_processor,
                                                        const TokenizerOverrides& overrides,
                                                        const TokenizerComponents& components) {
  std::optional<PostProcessor> other;
  if (overrides.of_class == Class::kPlain) return other;
  ASSIGN_OR_RETURN(const std::optional<SpecialEnds> ends, ParseSpecialEnds(post_processor));
  if (!ends) return other;
  const std::string first = NameOr(ends->first, overrides.first_token);
  const std::string last = NameOr(ends->last, overrides.last_token);
  if (first == ends->first && last == ends->last) return other;
  ASSIGN_OR_RETURN(const int32_t first_id, IdOf(first, components));
  ASSIGN_OR_RETURN(const int32_t last_id, IdOf(last, components));
  other = overrides.of_class == Class::kBert ? BertPostProcessor(first_id, last_id)
                                             : RobertaPostProcessor(first_id, last_id);
  return other;
}

// The added tokens, and what puts them around a text.
Status ParseSpecialTokens(const JsonValue& document, const TokenizerOverrides& overrides,
                          TokenizerComponents& components) {
  std::vector<AddedToken> of_file;
  if (const auto added_tokens = document.Find("added_tokens")) {
    ASSIGN_OR_RETURN(of_file, ParseAddedTokens(*added_tokens));
  }
  components.added_tokens =
      NumberAddedTokens(std::move(of_file), overrides.added_tokens, components.model->vocabulary());
  components.split_special_tokens = overrides.split_special_tokens;
  components.post_processor = DefaultPostProcessor();
  if (const auto post_processor = document.Find("post_processor")) {
    ASSIGN_OR_RETURN(components.post_processor, ParsePostProcessor(*post_processor));
    ASSIGN_OR_RETURN(std::optional<PostProcessor> other,
                     OtherPostProcessor(*post_processor, overrides, components));
    if (other) components.post_processor = *std::move(other);
  } else if (overrides.of_class == Class::kBert) {
    ASSIGN_OR_RETURN(const int32_t first, IdOf(NameOr("[CLS]", overrides.first_token), components));
    ASSIGN_OR_RETURN(const int32_t last, IdOf(NameOr("[SEP]", overrides.last_token), components));
    components.post_processor = BertPostProcessor(first, last);
  }
  return {};
}

Status RefuseTwo(const JsonValue& object, std::string_view name) {
  const auto fields = object.Fields();
  const auto count = std::count_if(fields.begin(), fields.end(),
                                   [&](const auto& field) { return field.first == name; });
  return count > 1 ? Status(object.Fail("has \"" + std::string(name) + "\" twice")) : Status{};
}

// A class has no other model than its own.
TokenizerOverrides ForModel(TokenizerOverrides overrides, std::string_view model_type) {
  const std::string_view expected = overrides.of_class == Class::kBert ? "WordPiece" : "Unigram";
  if (model_type == expected) return overrides;
  overrides.of_class = Class::kPlain;
  overrides.without_prefix_space = false;
  overrides.unk_token.clear();
  return overrides;
}

}  // namespace

Result<TokenizerComponents> ParseComponents(const JsonValue& document,
                                            const TokenizerOverrides& given) {
  if (const auto version = document.Find("version")) {
    ASSIGN_OR_RETURN(const std::string_view name, version->AsString());
    if (name != "1.0") return version->Fail("must be \"1.0\"");
  }
  TokenizerComponents components;
  ASSIGN_OR_RETURN(const JsonValue model, document.Field("model"));
  // Pieces and scores are read one after the other, and have to be of the same one.
  RETURN_IF_ERROR(RefuseTwo(document, "model"));
  RETURN_IF_ERROR(RefuseTwo(model, "vocab"));
  ASSIGN_OR_RETURN(const std::string_view model_type, ModelType(model));
  const TokenizerOverrides overrides = ForModel(given, model_type);
  ASSIGN_OR_RETURN(components.model, ParseModel(model, overrides.unk_token));
  RETURN_IF_ERROR(ParseSteps(document, overrides, components));
  TakeBytes(components);
  const bool lowercases = std::any_of(components.normalizers.begin(), components.normalizers.end(),
                                      [](const auto& step) { return step->lowercases(); });
  if (overrides.lowercase_first && !lowercases) {
    components.normalizers.insert(components.normalizers.begin(), MakeLowercaseNormalizer());
  }
  RETURN_IF_ERROR(ParseSpecialTokens(document, overrides, components));
  if (const auto decoder = document.Find("decoder")) {
    ASSIGN_OR_RETURN(components.decoder, Decoder::FromJson(*decoder));
  }
  if (const auto truncation = document.Find("truncation")) {
    if (const auto direction = truncation->Find("direction")) {
      ASSIGN_OR_RETURN(const std::string_view side, direction->AsString());
      if (side == "Left") components.truncation_side = TruncationSide::kLeft;
    }
  }
  return components;
}

}  // namespace embedding
