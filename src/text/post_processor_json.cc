#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "base/quoted.h"
#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using Piece = Template::Piece;

// No model has more than a few, and more than it has positions it refuses. A file that names a
// token of many ids many times is not to make every text millions of tokens long.
constexpr size_t kMaxPieces = 16'384;

Error TooManyPieces(const JsonValue& node) {
  return node.Fail("has more than " + std::to_string(kMaxPieces) + " pieces");
}

Piece First(int32_t type_id) { return {Piece::Kind::kFirst, type_id, 0}; }
Piece Second(int32_t type_id) { return {Piece::Kind::kSecond, type_id, 0}; }
Piece Special(int32_t type_id, int32_t id) { return {Piece::Kind::kSpecial, type_id, id}; }

bool Has(const Template& format, Piece::Kind kind) {
  return std::any_of(format.pieces.begin(), format.pieces.end(),
                     [&](const Piece& piece) { return piece.kind == kind; });
}

// The id in a pair like ["[SEP]", 102].
Result<int32_t> ParseTokenId(const JsonValue& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, node.Elements());
  if (elements.size() != 2) return node.Fail("must be a token and its id");
  ASSIGN_OR_RETURN(const int64_t id, elements[1].AsInteger(0, INT32_MAX));
  return static_cast<int32_t>(id);
}

Result<Template> ParseTemplate(const JsonValue& node, const JsonValue& special_tokens,
                               bool is_pair) {
  ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, node.Elements());
  if (elements.size() > kMaxPieces) return TooManyPieces(node);
  Template parsed;
  for (const JsonValue& element : elements) {
    if (const auto sequence = element.Find("Sequence")) {
      ASSIGN_OR_RETURN(const std::string name, sequence->String("id"));
      ASSIGN_OR_RETURN(const int64_t type_id, sequence->Integer("type_id", 0, INT32_MAX));
      if (name != "A" && (name != "B" || !is_pair)) {
        return sequence->Fail("names no sequence: " + Quoted(name));
      }
      const auto type = static_cast<int32_t>(type_id);
      const Piece piece = name == "A" ? First(type) : Second(type);
      // A text that is there twice would be cut to twice the length allowed.
      if (Has(parsed, piece.kind)) {
        return sequence->Fail("has the sequence " + std::string(name) +
                              " a second time, which is not supported");
      }
      parsed.pieces.push_back(piece);
      continue;
    }
    ASSIGN_OR_RETURN(const JsonValue special, element.Field("SpecialToken"));
    ASSIGN_OR_RETURN(const std::string name, special.String("id"));
    ASSIGN_OR_RETURN(const int64_t type_id, special.Integer("type_id", 0, INT32_MAX));
    ASSIGN_OR_RETURN(const JsonValue token, special_tokens.Field(name));
    ASSIGN_OR_RETURN(const JsonValue ids, token.Field("ids"));
    ASSIGN_OR_RETURN(const std::vector<JsonValue> id_nodes, ids.Elements());
    for (const JsonValue& id_node : id_nodes) {
      if (parsed.pieces.size() == kMaxPieces) {
        return TooManyPieces(node);
      }
      ASSIGN_OR_RETURN(const int64_t id, id_node.AsInteger(0, INT32_MAX));
      parsed.pieces.push_back(Special(static_cast<int32_t>(type_id), static_cast<int32_t>(id)));
    }
  }
  if (is_pair && !(Has(parsed, Piece::Kind::kFirst) && Has(parsed, Piece::Kind::kSecond))) {
    return node.Fail("must have both sequences, A and B");
  }
  return parsed;
}

Result<PostProcessor> ParseTemplates(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue special_tokens, node.Field("special_tokens"));
  ASSIGN_OR_RETURN(const JsonValue single, node.Field("single"));
  ASSIGN_OR_RETURN(const JsonValue pair, node.Field("pair"));
  PostProcessor processor;
  ASSIGN_OR_RETURN(processor.single, ParseTemplate(single, special_tokens, false));
  ASSIGN_OR_RETURN(processor.pair, ParseTemplate(pair, special_tokens, true));
  return processor;
}

Result<PostProcessor> ParseBert(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue sep_node, node.Field("sep"));
  ASSIGN_OR_RETURN(const JsonValue cls_node, node.Field("cls"));
  ASSIGN_OR_RETURN(const int32_t sep, ParseTokenId(sep_node));
  ASSIGN_OR_RETURN(const int32_t cls, ParseTokenId(cls_node));
  return BertPostProcessor(cls, sep);
}

Status AddTrim(const JsonValue& node, PostProcessor& processor) {
  OffsetTrim trim;
  ASSIGN_OR_RETURN(const bool trims, node.Bool("trim_offsets"));
  ASSIGN_OR_RETURN(trim.adds_prefix_space, node.Bool("add_prefix_space"));
  if (trims) processor.trims.push_back(trim);
  return {};
}

Result<PostProcessor> ParseRoberta(const JsonValue& node) {
  ASSIGN_OR_RETURN(const JsonValue sep_node, node.Field("sep"));
  ASSIGN_OR_RETURN(const JsonValue cls_node, node.Field("cls"));
  ASSIGN_OR_RETURN(const int32_t sep, ParseTokenId(sep_node));
  ASSIGN_OR_RETURN(const int32_t cls, ParseTokenId(cls_node));
  PostProcessor processor = RobertaPostProcessor(cls, sep);
  RETURN_IF_ERROR(AddTrim(node, processor));
  return processor;
}

Result<PostProcessor> ParseByteLevel(const JsonValue& node) {
  PostProcessor processor = DefaultPostProcessor();
  RETURN_IF_ERROR(AddTrim(node, processor));
  return processor;
}

Result<PostProcessor> ParseOne(const JsonValue& node, std::string_view type) {
  if (type == "TemplateProcessing") return ParseTemplates(node);
  if (type == "BertProcessing") return ParseBert(node);
  if (type == "RobertaProcessing") return ParseRoberta(node);
  if (type == "ByteLevel") return ParseByteLevel(node);
  return node.Fail("is of type " + Quoted(type) + ", which is not supported");
}

// Of a Sequence at most one member puts tokens around a text. Before it the others trim offsets;
// behind it TemplateProcessing leaves them what they were, the others do not.
Status AddProcessors(const JsonValue& node, std::string_view& adding, PostProcessor& processor) {
  ASSIGN_OR_RETURN(const std::string_view type, TypeOf(node));
  if (type == "Sequence") {
    ASSIGN_OR_RETURN(const JsonValue members, node.Field("processors"));
    ASSIGN_OR_RETURN(const std::vector<JsonValue> elements, members.Elements());
    for (const JsonValue& element : elements) {
      RETURN_IF_ERROR(AddProcessors(element, adding, processor));
    }
    return {};
  }
  ASSIGN_OR_RETURN(PostProcessor member, ParseOne(node, type));
  const bool adds = type != "ByteLevel";
  if (!adding.empty() && (adds || (member.trims_offsets() && adding != "TemplateProcessing"))) {
    return node.Fail("is a " + std::string(type) + " behind a " + std::string(adding) +
                     ", which is not supported");
  }
  if (processor.trims.size() + member.trims.size() > kMaxSteps) return TooManySteps(node);
  processor.trims.insert(processor.trims.end(), member.trims.begin(), member.trims.end());
  if (!adds) return {};
  adding = type;
  processor.single = std::move(member.single);
  processor.pair = std::move(member.pair);
  return {};
}

}  // namespace

PostProcessor DefaultPostProcessor() {
  PostProcessor processor;
  processor.single.pieces = {First(0)};
  processor.pair.pieces = {First(0), Second(1)};
  return processor;
}

PostProcessor BertPostProcessor(int32_t first, int32_t last) {
  PostProcessor processor;
  processor.single.pieces = {Special(0, first), First(0), Special(0, last)};
  processor.pair.pieces = {Special(0, first), First(0), Special(0, last), Second(1),
                           Special(1, last)};
  return processor;
}

PostProcessor RobertaPostProcessor(int32_t first, int32_t last) {
  PostProcessor processor;
  processor.single.pieces = {Special(0, first), First(0), Special(0, last)};
  processor.pair.pieces = {Special(0, first), First(0),  Special(0, last),
                           Special(0, last),  Second(0), Special(0, last)};
  return processor;
}

Result<PostProcessor> ParsePostProcessor(const JsonValue& node) {
  PostProcessor processor = DefaultPostProcessor();
  std::string_view adding;
  RETURN_IF_ERROR(AddProcessors(node, adding, processor));
  return processor;
}

}  // namespace embedding
