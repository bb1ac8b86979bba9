#include <utility>

#include "base/utf8.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using PreTokenizers = std::vector<std::unique_ptr<PreTokenizer>>;

Result<std::unique_ptr<PreTokenizer>> ParseMetaspace(const JsonValue& node) {
  using Prepend = MetaspaceOptions::Prepend;
  MetaspaceOptions options;
  ASSIGN_OR_RETURN(const JsonValue replacement, node.Field("replacement"));
  ASSIGN_OR_RETURN(options.replacement, AsCharacter(replacement));
  if (const auto scheme = node.Find("prepend_scheme")) {
    ASSIGN_OR_RETURN(const std::string_view name, scheme->AsString());
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
  if (const auto add_prefix_space = node.Find("add_prefix_space")) {
    ASSIGN_OR_RETURN(const bool adds, add_prefix_space->AsBool());
    if (!adds && options.prepend != Prepend::kNever) {
      return add_prefix_space->Fail("is false, which contradicts prepend_scheme");
    }
  }
  if (const auto split = node.Find("split")) {
    ASSIGN_OR_RETURN(options.split, split->AsBool());
  }
  return MakeMetaspacePreTokenizer(std::move(options));
}

Status AddPreTokenizers(const JsonValue& node, PreTokenizers& pre_tokenizers) {
  ASSIGN_OR_RETURN(const std::string_view type, TypeOf(node));
  if (type == "Sequence") {
    ASSIGN_OR_RETURN(const JsonValue members, node.Field("pretokenizers"));
    ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, members.Elements());
    for (const JsonValue& element : elements) {
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

Result<std::string_view> TypeOf(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue type, node.Field("type"));
  return type.AsString();
}

Result<std::string_view> AsCharacter(const JsonValue& node) {
  ASSIGN_OR_RETURN(const std::string_view text, node.AsString());
  if (text.empty() || DecodeUtf8(text, 0).size_bytes != text.size()) {
    return node.Wrong("one character");
  }
  return text;
}

Result<PreTokenizers> ParsePreTokenizers(const JsonValue& node) {
  PreTokenizers pre_tokenizers;
  RETURN_IF_ERROR(AddPreTokenizers(node, pre_tokenizers));
  return pre_tokenizers;
}

}  // namespace embedding
