#include <array>
#include <utility>

#include "base/quoted.h"
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

Result<SplitBehavior> ParseBehavior(const JsonValue& node) {
  struct Named {
    std::string_view name;
    SplitBehavior behavior;
  };
  constexpr std::array<Named, 5> kBehaviors = {
      {{"Removed", SplitBehavior::kRemoved},
       {"Isolated", SplitBehavior::kIsolated},
       {"MergedWithPrevious", SplitBehavior::kMergedWithPrevious},
       {"MergedWithNext", SplitBehavior::kMergedWithNext},
       {"Contiguous", SplitBehavior::kContiguous}}};
  ASSIGN_OR_RETURN(const std::string_view name, node.AsString());
  for (const Named& known : kBehaviors) {
    if (name == known.name) return known.behavior;
  }
  return node.Wrong(
      "\"Removed\", \"Isolated\", \"MergedWithPrevious\", \"MergedWithNext\" or \"Contiguous\"");
}

Result<std::unique_ptr<PreTokenizer>> ParseSplit(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue behavior_node, node.Field("behavior"));
  ASSIGN_OR_RETURN(const SplitBehavior behavior, ParseBehavior(behavior_node));
  ASSIGN_OR_RETURN(const bool inverts, node.Bool("invert"));
  ASSIGN_OR_RETURN(const JsonValue pattern, node.Field("pattern"));
  if (const auto field = pattern.Find("Regex")) {
    ASSIGN_OR_RETURN(Regex regex, ParseRegexField(*field));
    return MakeSplitPreTokenizer(std::move(regex), behavior, inverts);
  }
  ASSIGN_OR_RETURN(std::string literal, pattern.String("String"));
  // Nothing is found between any two characters.
  if (literal.empty()) return MakeFixedLengthPreTokenizer(1);
  return MakeSplitPreTokenizer(std::move(literal), behavior, inverts);
}

Result<std::unique_ptr<PreTokenizer>> ParsePunctuation(const JsonValue& node) {
  SplitBehavior behavior = SplitBehavior::kIsolated;
  if (const auto field = node.Find("behavior")) {
    ASSIGN_OR_RETURN(behavior, ParseBehavior(*field));
  }
  return MakePunctuationPreTokenizer(behavior);
}

Result<std::unique_ptr<PreTokenizer>> ParseOne(const JsonValue& node, std::string_view type) {
  if (type == "BertPreTokenizer") return MakeBertPreTokenizer();
  if (type == "WhitespaceSplit") return MakeWhitespaceSplitPreTokenizer();
  if (type == "Whitespace") return MakeWhitespacePreTokenizer();
  if (type == "UnicodeScripts") return MakeUnicodeScriptsPreTokenizer();
  if (type == "Metaspace") return ParseMetaspace(node);
  if (type == "Split") return ParseSplit(node);
  if (type == "Punctuation") return ParsePunctuation(node);
  if (type == "Digits") {
    ASSIGN_OR_RETURN(const bool individual, node.Bool("individual_digits"));
    return MakeDigitsPreTokenizer(individual ? SplitBehavior::kIsolated
                                             : SplitBehavior::kContiguous);
  }
  if (type == "CharDelimiterSplit") {
    ASSIGN_OR_RETURN(const JsonValue delimiter, node.Field("delimiter"));
    ASSIGN_OR_RETURN(const std::string_view character, AsCharacter(delimiter));
    return MakeSplitPreTokenizer(std::string(character), SplitBehavior::kRemoved, false);
  }
  if (type == "FixedLength") {
    ASSIGN_OR_RETURN(const int64_t length, node.Integer("length", 1, INT32_MAX, 5));
    return MakeFixedLengthPreTokenizer(static_cast<size_t>(length));
  }
  return node.Fail("is of type " + Quoted(type) + ", which is not supported");
}

Status AddByteLevel(const JsonValue& node, PreTokenizers& pre_tokenizers) {
  ASSIGN_OR_RETURN(const bool adds_prefix_space, node.Bool("add_prefix_space"));
  ASSIGN_OR_RETURN(const bool uses_regex, node.Bool("use_regex", true));
  // Each makes a text up to twice as long.
  for (const auto& step : pre_tokenizers) {
    if (step->makes_byte_characters()) {
      return node.Fail("is a second ByteLevel, which is not supported");
    }
  }
  if (adds_prefix_space) pre_tokenizers.push_back(MakePrefixSpacePreTokenizer());
  if (uses_regex) pre_tokenizers.push_back(MakeGpt2PreTokenizer());
  pre_tokenizers.push_back(MakeByteCharactersPreTokenizer());
  return {};
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
  if (pre_tokenizers.size() >= kMaxSteps) return TooManySteps(node);
  if (type == "ByteLevel") return AddByteLevel(node, pre_tokenizers);
  ASSIGN_OR_RETURN(std::unique_ptr<PreTokenizer> pre_tokenizer, ParseOne(node, type));
  pre_tokenizers.push_back(std::move(pre_tokenizer));
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

Result<Regex> ParseRegexField(const JsonValue& node) {
  ASSIGN_OR_RETURN(const std::string_view pattern, node.AsString());
  Result<Regex> regex = Regex::Compile(pattern);
  if (!regex) return node.Fail(regex.error().message);
  return regex;
}

Result<PreTokenizers> ParsePreTokenizers(const JsonValue& node) {
  PreTokenizers pre_tokenizers;
  RETURN_IF_ERROR(AddPreTokenizers(node, pre_tokenizers));
  return pre_tokenizers;
}

}  // namespace embedding
