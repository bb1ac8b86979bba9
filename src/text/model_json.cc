#include <cmath>
#include <cstddef>
#include <unordered_map>
#include <utility>

#include "base/json_document.h"
#include "base/json_repair.h"
#include "base/quoted.h"
#include "text/tokenizer_json.h"
#include "text/unigram_scores.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

Result<std::unique_ptr<Model>> ParseWordPiece(const JsonValue& node, const JsonValue& said) {
  WordPieceOptions options;
  ASSIGN_OR_RETURN(options.unk_token, said.String("unk_token"));
  ASSIGN_OR_RETURN(options.continuing_subword_prefix, said.String("continuing_subword_prefix"));
  ASSIGN_OR_RETURN(const int64_t max_chars, said.Integer("max_input_chars_per_word", 0, INT32_MAX));
  options.max_input_chars_per_word = static_cast<size_t>(max_chars);
  ASSIGN_OR_RETURN(Vocabulary vocabulary, ParseVocabulary(node));
  return MakeWordPiece(std::move(vocabulary), options);
}

Result<std::unique_ptr<Model>> ParseWordLevel(const JsonValue& node, const JsonValue& said) {
  ASSIGN_OR_RETURN(const std::string unk_token, said.String("unk_token"));
  ASSIGN_OR_RETURN(Vocabulary vocabulary, ParseVocabulary(node));
  return MakeWordLevel(std::move(vocabulary), unk_token);
}

Result<std::unique_ptr<Model>> ParseUnigram(const JsonValue& node, const JsonValue& said,
                                            bool nearest_scores) {
  ASSIGN_OR_RETURN(const bool byte_fallback, said.Bool("byte_fallback", false));
  ASSIGN_OR_RETURN(const int64_t unk_id, said.Integer("unk_id", 0, INT32_MAX));
  ASSIGN_OR_RETURN(const JsonValue vocab, node.Field("vocab"));
  dom::array array;
  if (vocab.element().get_array().get(array) != simdjson::SUCCESS) {
    return vocab.Fail("must be an array of pieces and their scores");
  }
  std::vector<Vocabulary::Piece> pieces;
  std::vector<double> scores;
  pieces.reserve(array.size());
  for (const dom::element entry : array) {
    std::string_view text;
    double score = 0;
    if (entry.at(0).get_string().get(text) != simdjson::SUCCESS ||
        entry.at(1).get_double().get(score) != simdjson::SUCCESS ||
        (nearest_scores && !(std::abs(score) < kHuge))) {
      return vocab.Fail("must have a piece and its score at [" + std::to_string(pieces.size()) +
                        "]");
    }
    pieces.push_back({text, static_cast<uint32_t>(pieces.size())});
    scores.push_back(score);
  }
  if (!nearest_scores) {
    ASSIGN_OR_RETURN(scores, ReadUnigramScores(node.document(), pieces.size()));
  }
  Result<Vocabulary> vocabulary = Vocabulary::Build(pieces);
  if (!vocabulary) return std::move(vocabulary).error().At(vocab.place());
  return MakeUnigram(*std::move(vocabulary), std::move(scores), static_cast<uint32_t>(unk_id),
                     byte_fallback);
}

// The type of a model in a file of before 0.10, which does not say it.
std::string_view GuessType(const JsonValue& node) {
  if (node.Find("merges")) return "BPE";
  if (node.Find("continuing_subword_prefix")) return "WordPiece";
  return node.Find("unk_id") ? "Unigram" : "WordLevel";
}

}  // namespace

Result<Vocabulary> ParseVocabulary(const JsonValue& model) {
  ASSIGN_OR_RETURN(const JsonValue vocab, model.Field("vocab"));
  dom::object object;
  if (vocab.element().get_object().get(object) != simdjson::SUCCESS) {
    return vocab.Fail("must be an object of pieces and their ids");
  }
  std::vector<Vocabulary::Piece> pieces;
  for (const dom::key_value_pair member : object) {
    uint64_t id = 0;
    if (member.value.get_uint64().get(id) != simdjson::SUCCESS || id > Vocabulary::kMaxId) {
      return vocab.Fail("has the piece " + Quoted(member.key) +
                        " with an id that is not a whole number from 0 to " +
                        std::to_string(Vocabulary::kMaxId));
    }
    pieces.push_back({member.key, static_cast<uint32_t>(id)});
  }
  Result<Vocabulary> vocabulary = Vocabulary::Build(pieces);
  if (!vocabulary) return std::move(vocabulary).error().At(vocab.place());
  for (const Vocabulary::Piece& piece : pieces) {
    if (!piece.text.empty() && vocabulary->IdOf(piece.text) != static_cast<int32_t>(piece.id)) {
      return vocab.Fail("has the piece " + Quoted(piece.text) + " twice");
    }
  }
  return vocabulary;
}

Result<std::string_view> ModelType(const JsonValue& node) {
  if (const auto field = node.Find("type")) return field->AsString();
  return GuessType(node);
}

Result<std::unique_ptr<Model>> ParseModel(const JsonValue& node, const JsonValue& said,
                                          bool nearest_scores) {
  ASSIGN_OR_RETURN(const std::string_view type, ModelType(node));
  if (type == "WordPiece") return ParseWordPiece(node, said);
  if (type == "Unigram") return ParseUnigram(node, said, nearest_scores);
  if (type == "BPE") return ParseBpe(node, said);
  if (type == "WordLevel") return ParseWordLevel(node, said);
  return node.Fail("is of type " + Quoted(type) +
                   ", which is not supported (BPE, Unigram, WordPiece and WordLevel are)");
}

}  // namespace embedding
