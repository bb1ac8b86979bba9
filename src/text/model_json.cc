#include <cstddef>
#include <unordered_map>
#include <utility>

#include "text/tokenizer_json.h"
#include "text/unigram_scores.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

Result<std::unique_ptr<Model>> ParseWordPiece(const JsonNode& node) {
  WordPieceOptions options;
  ASSIGN_OR_RETURN(options.unk_token, node.StringField("unk_token"));
  ASSIGN_OR_RETURN(options.continuing_subword_prefix,
                   node.StringField("continuing_subword_prefix"));
  ASSIGN_OR_RETURN(options.max_input_chars_per_word, node.NumberField("max_input_chars_per_word"));

  ASSIGN_OR_RETURN(const JsonNode vocab, node.Field("vocab"));
  dom::object object;
  if (vocab.element().get_object().get(object) != simdjson::SUCCESS) {
    return vocab.Fail("must be an object of pieces and their ids");
  }
  std::vector<Vocabulary::Piece> pieces;
  for (const dom::key_value_pair member : object) {
    uint64_t id = 0;
    if (member.value.get_uint64().get(id) != simdjson::SUCCESS || id > Vocabulary::kMaxId) {
      return vocab.Fail("has the piece \"" + std::string(member.key) +
                        "\" with an id that is not a whole number from 0 to " +
                        std::to_string(Vocabulary::kMaxId));
    }
    pieces.push_back({member.key, static_cast<uint32_t>(id)});
  }
  Result<Vocabulary> vocabulary = Vocabulary::Build(pieces);
  if (!vocabulary) return std::move(vocabulary).error().At(vocab.path());
  for (const Vocabulary::Piece& piece : pieces) {
    if (!piece.text.empty() && vocabulary->IdOf(piece.text) != static_cast<int32_t>(piece.id)) {
      return vocab.Fail("has the piece \"" + std::string(piece.text) + "\" twice");
    }
  }
  return MakeWordPiece(*std::move(vocabulary), options);
}

Result<std::unique_ptr<Model>> ParseUnigram(const JsonNode& node, std::string_view padded_json) {
  if (const auto byte_fallback = node.OptionalField("byte_fallback")) {
    ASSIGN_OR_RETURN(const bool falls_back, byte_fallback->Bool());
    if (falls_back) return byte_fallback->Fail("is true, which is not supported");
  }
  ASSIGN_OR_RETURN(const uint32_t unk_id, node.NumberField("unk_id"));
  ASSIGN_OR_RETURN(const JsonNode vocab, node.Field("vocab"));
  dom::array array;
  if (vocab.element().get_array().get(array) != simdjson::SUCCESS) {
    return vocab.Fail("must be an array of pieces and their scores");
  }
  std::vector<Vocabulary::Piece> pieces;
  pieces.reserve(array.size());
  for (const dom::element entry : array) {
    std::string_view text;
    if (entry.at(0).get_string().get(text) != simdjson::SUCCESS ||
        entry.at(1).get_double().error() != simdjson::SUCCESS) {
      return vocab.Fail("must have a piece and its score at [" + std::to_string(pieces.size()) +
                        "]");
    }
    pieces.push_back({text, static_cast<uint32_t>(pieces.size())});
  }
  ASSIGN_OR_RETURN(std::vector<double> scores, ReadUnigramScores(padded_json, pieces.size()));
  Result<Vocabulary> vocabulary = Vocabulary::Build(pieces);
  if (!vocabulary) return std::move(vocabulary).error().At(vocab.path());
  return MakeUnigram(*std::move(vocabulary), std::move(scores), unk_id);
}

// The type of a model in a file of before 0.10, which does not say it.
std::string_view GuessType(const JsonNode& node) {
  if (node.OptionalField("merges")) return "BPE";
  if (node.OptionalField("continuing_subword_prefix")) return "WordPiece";
  return node.OptionalField("unk_id") ? "Unigram" : "WordLevel";
}

}  // namespace

Result<std::string_view> ModelType(const JsonNode& node) {
  if (const auto field = node.OptionalField("type")) return field->String();
  return GuessType(node);
}

Result<std::unique_ptr<Model>> ParseModel(const JsonNode& node, std::string_view padded_json) {
  ASSIGN_OR_RETURN(const std::string_view type, ModelType(node));
  if (type == "WordPiece") return ParseWordPiece(node);
  if (type == "Unigram") return ParseUnigram(node, padded_json);
  return node.Fail("is of type \"" + std::string(type) +
                   "\", which is not supported (WordPiece and Unigram are)");
}

Result<std::vector<AddedToken>> ParseAddedTokens(const JsonNode& node,
                                                 const Vocabulary& vocabulary) {
  ASSIGN_OR_RETURN(const std::vector<JsonNode> elements, node.Elements());
  std::vector<AddedToken> tokens;
  std::unordered_map<std::string_view, int32_t> id_of;  // by content
  std::unordered_map<int32_t, size_t> index_of;         // by id, in tokens
  auto next_id = static_cast<int32_t>(vocabulary.size());
  for (const JsonNode& element : elements) {
    AddedToken token;
    ASSIGN_OR_RETURN(const std::string_view content, element.StringField("content"));
    token.content = content;
    ASSIGN_OR_RETURN(token.single_word, element.BoolField("single_word"));
    ASSIGN_OR_RETURN(token.lstrip, element.BoolField("lstrip"));
    ASSIGN_OR_RETURN(token.rstrip, element.BoolField("rstrip"));
    ASSIGN_OR_RETURN(token.normalized, element.BoolField("normalized"));
    if (element.OptionalField("special")) {
      ASSIGN_OR_RETURN(token.special, element.BoolField("special"));
    }
    RETURN_IF_ERROR(element.NumberField("id"));
    if (content.empty()) continue;
    const auto [known, is_new] = id_of.try_emplace(content, 0);
    if (is_new) {
      const std::optional<int32_t> id = vocabulary.IdOf(content);
      known->second = id ? *id : next_id++;
    }
    token.id = known->second;
    const auto [place, is_first] = index_of.try_emplace(token.id, tokens.size());
    if (is_first) {
      tokens.push_back(std::move(token));
    } else {
      tokens[place->second] = std::move(token);
    }
  }
  return tokens;
}

}  // namespace embedding
