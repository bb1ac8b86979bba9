#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "text/tokenizer_json.h"

namespace embedding {
namespace {

using Piece = Template::Piece;

// No model has more than a few, and more than it has positions it refuses. A file that names a
// token of many ids many times is not to make every text millions of tokens long.
constexpr size_t kMaxPieces = 16'384;

Piece First(int32_t type_id) { return {Piece::Kind::kFirst, type_id, 0}; }
Piece Second(int32_t type_id) { return {Piece::Kind::kSecond, type_id, 0}; }
Piece Special(int32_t type_id, int32_t id) { return {Piece::Kind::kSpecial, type_id, id}; }

bool Has(const Template& format, Piece::Kind kind) {
  return std::any_of(format.pieces.begin(), format.pieces.end(),
                     [&](const Piece& piece) { return piece.kind == kind; });
}

// The id in a pair like ["[SEP]", 102].
Result<int32_t> ParseTokenId(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements());
  if (elements.size() != 2) return node.Fail("must be a token and its id");
  ASSIGN_OR_RETURN(const uint32_t id, elements[1].Number());
  return static_cast<int32_t>(id);
}

Result<Template> ParseTemplate(const JsonNode& node, const JsonNode& special_tokens, bool is_pair) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements());
  Template parsed;
  for (const JsonNode& element : elements) {
    if (const auto sequence = element.OptionalField("Sequence")) {
      ASSIGN_OR_RETURN(const std::string_view name, sequence->StringField("id"));
      ASSIGN_OR_RETURN(const uint32_t type_id, sequence->NumberField("type_id"));
      if (name != "A" && (name != "B" || !is_pair)) {
        return sequence->Fail("names no sequence: \"" + std::string(name) + "\"");
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
    ASSIGN_OR_RETURN(const JsonNode special, element.Field("SpecialToken"));
    ASSIGN_OR_RETURN(const std::string_view name, special.StringField("id"));
    ASSIGN_OR_RETURN(const uint32_t type_id, special.NumberField("type_id"));
    ASSIGN_OR_RETURN(const JsonNode token, special_tokens.Field(name));
    ASSIGN_OR_RETURN(const JsonNode ids, token.Field("ids"));
    ASSIGN_OR_RETURN(const std::vector<JsonNode> id_nodes, ids.Elements());
    for (const JsonNode& id_node : id_nodes) {
      if (parsed.pieces.size() == kMaxPieces) {
        return node.Fail("has more than " + std::to_string(kMaxPieces) + " pieces");
      }
      ASSIGN_OR_RETURN(const uint32_t id, id_node.Number());
      parsed.pieces.push_back(Special(static_cast<int32_t>(type_id), static_cast<int32_t>(id)));
    }
  }
  if (is_pair && !(Has(parsed, Piece::Kind::kFirst) && Has(parsed, Piece::Kind::kSecond))) {
    return node.Fail("must have both sequences, A and B");
  }
  return parsed;
}

Result<PostProcessor> ParseTemplates(const JsonNode& node) {
  ASSIGN_OR_RETURN(const JsonNode special_tokens, node.Field("special_tokens"));
  ASSIGN_OR_RETURN(const JsonNode single, node.Field("single"));
  ASSIGN_OR_RETURN(const JsonNode pair, node.Field("pair"));
  PostProcessor processor;
  ASSIGN_OR_RETURN(processor.single, ParseTemplate(single, special_tokens, false));
  ASSIGN_OR_RETURN(processor.pair, ParseTemplate(pair, special_tokens, true));
  return processor;
}

// [CLS] A [SEP], and for a pair [CLS] A [SEP] B [SEP] with the type 1 from B on.
Result<PostProcessor> ParseBert(const JsonNode& node) {
  ASSIGN_OR_RETURN(const JsonNode sep_node, node.Field("sep"));
  ASSIGN_OR_RETURN(const JsonNode cls_node, node.Field("cls"));
  ASSIGN_OR_RETURN(const int32_t sep, ParseTokenId(sep_node));
  ASSIGN_OR_RETURN(const int32_t cls, ParseTokenId(cls_node));
  PostProcessor processor;
  processor.single.pieces = {Special(0, cls), First(0), Special(0, sep)};
  processor.pair.pieces = {Special(0, cls), First(0), Special(0, sep), Second(1), Special(1, sep)};
  return processor;
}

// <s> A </s>, and for a pair <s> A </s> </s> B </s>, all of type 0.
Result<PostProcessor> ParseRoberta(const JsonNode& node) {
  ASSIGN_OR_RETURN(const JsonNode sep_node, node.Field("sep"));
  ASSIGN_OR_RETURN(const JsonNode cls_node, node.Field("cls"));
  ASSIGN_OR_RETURN(const int32_t sep, ParseTokenId(sep_node));
  ASSIGN_OR_RETURN(const int32_t cls, ParseTokenId(cls_node));
  PostProcessor processor;
  ASSIGN_OR_RETURN(processor.trims_offsets, node.BoolField("trim_offsets"));
  ASSIGN_OR_RETURN(processor.adds_prefix_space, node.BoolField("add_prefix_space"));
  processor.single.pieces = {Special(0, cls), First(0), Special(0, sep)};
  processor.pair.pieces = {Special(0, cls), First(0),  Special(0, sep),
                           Special(0, sep), Second(0), Special(0, sep)};
  return processor;
}

}  // namespace

PostProcessor DefaultPostProcessor() {
  PostProcessor processor;
  processor.single.pieces = {First(0)};
  processor.pair.pieces = {First(0), Second(1)};
  return processor;
}

Result<PostProcessor> ParsePostProcessor(const JsonNode& node) {
  ASSIGN_OR_RETURN(const std::string_view type, node.StringField("type"));
  if (type == "TemplateProcessing") return ParseTemplates(node);
  if (type == "BertProcessing") return ParseBert(node);
  if (type == "RobertaProcessing") return ParseRoberta(node);
  return node.Fail("is of type \"" + std::string(type) + "\", which is not supported");
}

}  // namespace embedding
