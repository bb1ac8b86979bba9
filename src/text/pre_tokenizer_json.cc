#include <utility>

#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using PreTokenizers = std::vector<std::unique_ptr<PreTokenizer>>;

Result<std::unique_ptr<PreTokenizer>> ParseMetaspace(const JsonNode& node) {
  using Prepend = MetaspaceOptions::Prepend;
  MetaspaceOptions options;
  ASSIGN_OR_RETURN(const JsonNode replacement, node.Field("replacement"));
  ASSIGN_OR_RETURN(options.replacement, replacement.Character());
  if (const auto scheme = node.OptionalField("prepend_scheme")) {
    ASSIGN_OR_RETURN(const std::string_view name, scheme->String());
    if (name == "always") {
      options.prepend = Prepend::kAlways;
    } else if (name == "first") {
      options.prepend = Prepend::kFirst;
    } else if (name == "never") {
      options.prepend = Prepend::kNever;
    } else {
      return scheme->Fail("must be \"always\", \"first\" or \"never\"");
    }
  }
  if (const auto add_prefix_space = node.OptionalField("add_prefix_space")) {
    ASSIGN_OR_RETURN(const bool adds, add_prefix_space->Bool());
    if (!adds && options.prepend != Prepend::kNever) {
      return add_prefix_space->Fail("is false, which contradicts prepend_scheme");
    }
  }
  if (const auto split = node.OptionalField("split")) {
    ASSIGN_OR_RETURN(options.split, split->Bool());
  }
  return MakeMetaspacePreTokenizer(std::move(options));
}

Status AddPreTokenizers(const JsonNode& node, PreTokenizers& pre_tokenizers) {
  ASSIGN_OR_RETURN(const std::string_view type, node.StringField("type"));
  if (type == "Sequence") {
    ASSIGN_OR_RETURN(const JsonNode members, node.Field("pretokenizers"));
    ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, members.Elements());
    for (const JsonNode& element : elements) {
      RETURN_IF_ERROR(AddPreTokenizers(element, pre_tokenizers));
    }
    return {};
  }
  if (pre_tokenizers.size() == kMaxSteps) return TooManySteps(node);
  if (type == "BertPreTokenizer") {
    pre_tokenizers.push_back(MakeBertPreTokenizer());
  } else if (type == "WhitespaceSplit") {
    pre_tokenizers.push_back(MakeWhitespaceSplitPreTokenizer());
  } else if (type == "Metaspace") {
    ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> metaspace, ParseMetaspace(node));
    pre_tokenizers.push_back(std::move(metaspace));
  } else {
    return node.Fail("is of type \"" + std::string(type) + "\", which is not supported");
  }
  return {};
}

}  // namespace

Result<PreTokenizers> ParsePreTokenizers(const JsonNode& node) {
  PreTokenizers pre_tokenizers;
  RETURN_IF_ERROR(AddPreTokenizers(node, pre_tokenizers));
  return pre_tokenizers;
}

}  // namespace embedding
