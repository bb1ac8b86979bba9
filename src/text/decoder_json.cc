#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/quoted.h"
#include "text/decoder_steps.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using Step = std::unique_ptr<DecoderStep>;

Error Unsupported(const JsonValue& node, std::string_view problem) {
  return Error{ErrorCode::kUnsupported, node.Fail(problem).message, ""};
}

Result<Step> ParseMetaspace(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue replacement, node.Field("replacement"));
  ASSIGN_OR_RETURN(const std::string_view character, AsCharacter(replacement));
  bool drops_first = true;
  if (node.Find("prepend_scheme")) {
    ASSIGN_OR_RETURN(const std::string scheme, node.String("prepend_scheme"));
    drops_first = scheme != "never";
  } else {
    ASSIGN_OR_RETURN(drops_first, node.Bool("add_prefix_space", true));
  }
  return MakeMetaspaceDecoder(std::string(character), drops_first);
}

Result<Step> ParseReplace(const JsonValue& node) {
  ASSIGN_OR_RETURN(std::string content, node.String("content"));
  ASSIGN_OR_RETURN(const JsonValue pattern, node.Field("pattern"));
  if (const auto field = pattern.Find("Regex")) {
    ASSIGN_OR_RETURN(const std::string_view text, field->AsString());
    Result<Regex> regex = Regex::Compile(text);
    if (!regex) return Unsupported(*field, regex.error().message);
    return MakeReplaceDecoder(*std::move(regex), std::move(content));
  }
  ASSIGN_OR_RETURN(std::string literal, pattern.String("String"));
  if (literal.empty()) return pattern.Fail("is empty");
  return MakeReplaceDecoder(std::move(literal), std::move(content));
}

Result<Step> ParseOne(const JsonValue& node, std::string_view type) {
  if (type == "ByteLevel") return MakeByteLevelDecoder();
  if (type == "ByteFallback") return MakeByteFallbackDecoder();
  if (type == "Fuse") return MakeFuseDecoder();
  if (type == "Metaspace") return ParseMetaspace(node);
  if (type == "Replace") return ParseReplace(node);
  if (type == "WordPiece") {
    ASSIGN_OR_RETURN(std::string prefix, node.String("prefix"));
    ASSIGN_OR_RETURN(const bool cleanup, node.Bool("cleanup"));
    return MakeWordPieceDecoder(std::move(prefix), cleanup);
  }
  if (type == "Strip") {
    ASSIGN_OR_RETURN(const JsonValue content, node.Field("content"));
    ASSIGN_OR_RETURN(const std::string_view character, AsCharacter(content));
    ASSIGN_OR_RETURN(const int64_t start, node.Integer("start", 0, INT32_MAX));
    ASSIGN_OR_RETURN(const int64_t stop, node.Integer("stop", 0, INT32_MAX));
    return MakeStripDecoder(std::string(character), static_cast<size_t>(start),
                            static_cast<size_t>(stop));
  }
  if (type == "BPEDecoder") {
    ASSIGN_OR_RETURN(std::string suffix, node.String("suffix"));
    if (suffix.empty()) return Unsupported(node, "has an empty suffix, which is not supported");
    return MakeBpeDecoder(std::move(suffix));
  }
  if (type == "CTC") {
    ASSIGN_OR_RETURN(std::string pad_token, node.String("pad_token"));
    ASSIGN_OR_RETURN(std::string word_delimiter, node.String("word_delimiter_token"));
    ASSIGN_OR_RETURN(const bool cleanup, node.Bool("cleanup"));
    return MakeCtcDecoder(std::move(pad_token), std::move(word_delimiter), cleanup);
  }
  return Unsupported(node, "is of type " + Quoted(type) + ", which is not supported");
}

Status AddSteps(const JsonValue& node, std::vector<Step>& steps) {
  ASSIGN_OR_RETURN(const std::string_view type, TypeOf(node));
  if (type == "Sequence") {
    ASSIGN_OR_RETURN(const JsonValue members, node.Field("decoders"));
    ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, members.Elements());
    for (const JsonValue& element : elements) RETURN_IF_ERROR(AddSteps(element, steps));
    return {};
  }
  if (steps.size() == kMaxSteps) return TooManySteps(node);
  ASSIGN_OR_RETURN(steps.emplace_back(), ParseOne(node, type));
  return {};
}

}  // namespace

Result<std::vector<Step>> ParseDecoder(const JsonValue& node) {
  std::vector<Step> steps;
  RETURN_IF_ERROR(AddSteps(node, steps));
  RETURN_IF_ERROR(CheckGrowth(node, steps));
  return steps;
}

}  // namespace embedding
