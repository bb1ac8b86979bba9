#include "text/tokenizer_components.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/quoted.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

// The model may read bytes, which saves writing them as characters.
void TakeBytes(TokenizerComponents& components) {
  auto& steps = components.pre_tokenizers;
  if (!steps.empty() && steps.back()->makes_byte_characters() && components.model->TakeBytes()) {
    steps.pop_back();
  }
}

// A part of the document, or what is in its place.
std::optional<JsonValue> PartOf(const JsonValue& document, const TokenizerOverrides& overrides,
                                std::string_view name) {
  if (overrides.parts) {
    if (auto part = overrides.parts->Find(name)) return part;
  }
  return document.Find(name);
}

Result<int32_t> IdOf(const std::string& special, const TokenizerComponents& components) {
  for (const AddedToken& token : components.added_tokens) {
    if (token.content == special) return token.id;
  }
  if (const auto id = components.model->vocabulary().IdOf(special)) return *id;
  return Error{ErrorCode::kModelLoad,
               "the special token " + Quoted(special) + " is no token of the vocabulary", ""};
}

Result<Template> FindIds(const std::vector<NamedPostProcessor::Piece>& pieces,
                         const TokenizerComponents& components) {
  Template found;
  for (const NamedPostProcessor::Piece& piece : pieces) {
    found.pieces.push_back({piece.kind, piece.type_id, 0});
    if (piece.kind != Template::Piece::Kind::kSpecial) continue;
    ASSIGN_OR_RETURN(found.pieces.back().id, IdOf(piece.token, components));
  }
  return found;
}

Result<PostProcessor> FindIds(const NamedPostProcessor& named,
                              const TokenizerComponents& components) {
  PostProcessor processor;
  ASSIGN_OR_RETURN(processor.single, FindIds(named.single, components));
  ASSIGN_OR_RETURN(processor.pair, FindIds(named.pair, components));
  if (named.trims_offsets) processor.trims.push_back({named.adds_prefix_space});
  return processor;
}

// The added tokens, and what puts them around a text.
Status ParseSpecialTokens(const JsonValue& document, const TokenizerOverrides& overrides,
                          TokenizerComponents& components) {
  std::vector<AddedToken> of_file;
  const auto added_tokens = document.Find("added_tokens");
  if (added_tokens && !overrides.added_tokens.replace_documents) {
    ASSIGN_OR_RETURN(of_file, ParseAddedTokens(*added_tokens));
  }
  components.added_tokens =
      NumberAddedTokens(std::move(of_file), overrides.added_tokens, components.model->vocabulary());
  components.split_special_tokens = overrides.split_special_tokens;
  components.post_processor = DefaultPostProcessor();
  if (overrides.post_processor) {
    ASSIGN_OR_RETURN(components.post_processor, FindIds(*overrides.post_processor, components));
  } else if (const auto post_processor = document.Find("post_processor")) {
    ASSIGN_OR_RETURN(components.post_processor, ParsePostProcessor(*post_processor));
  }
  return {};
}

Status RefuseTwo(const JsonValue& object, std::string_view name) {
  const auto fields = object.Fields();
  const auto count = std::count_if(fields.begin(), fields.end(),
                                   [&](const auto& field) { return field.first == name; });
  return count > 1 ? Status(object.Fail("has " + Quoted(name) + " twice")) : Status{};
}

}  // namespace

Result<TokenizerComponents> ParseComponents(const JsonValue& document,
                                            const TokenizerOverrides& overrides) {
  if (const auto version = document.Find("version")) {
    ASSIGN_OR_RETURN(const std::string_view name, version->AsString());
    if (name != "1.0") return version->Fail("must be \"1.0\"");
  }
  TokenizerComponents components;
  ASSIGN_OR_RETURN(const JsonValue model, document.Field("model"));
  // Pieces and scores are read one after the other, and have to be of the same one.
  RETURN_IF_ERROR(RefuseTwo(document, "model"));
  RETURN_IF_ERROR(RefuseTwo(model, "vocab"));
  const auto options = overrides.parts ? overrides.parts->Find("model") : std::nullopt;
  ASSIGN_OR_RETURN(components.model,
                   ParseModel(model, options.value_or(model), overrides.nearest_scores));
  if (const auto normalizer = PartOf(document, overrides, "normalizer")) {
    ASSIGN_OR_RETURN(components.normalizers, ParseNormalizers(*normalizer));
  }
  if (const auto pre_tokenizer = PartOf(document, overrides, "pre_tokenizer")) {
    ASSIGN_OR_RETURN(components.pre_tokenizers, ParsePreTokenizers(*pre_tokenizer));
  }
  TakeBytes(components);
  const bool lowercases = std::any_of(components.normalizers.begin(), components.normalizers.end(),
                                      [](const auto& step) { return step->lowercases(); });
  if (overrides.lowercase_first && !lowercases) {
    components.normalizers.insert(components.normalizers.begin(), MakeLowercaseNormalizer());
  }
  RETURN_IF_ERROR(ParseSpecialTokens(document, overrides, components));
  if (const auto decoder = PartOf(document, overrides, "decoder")) {
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
