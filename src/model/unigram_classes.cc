// Classes of Unigram models.
#include <cstddef>

#include "base/json_document.h"
#include "model/class_parts.h"
#include "model/class_parts_json.h"

namespace embedding {
namespace {

void WriteUnigram(int64_t unk_id, JsonWriter& json) {
  json.Key("model").BeginObject().Key("unk_id").Integer(unk_id);
  json.Key("byte_fallback").Bool(false).EndObject();
}

// The characters of the model's table, if it has one, and nothing else.
void WriteCharsmap(const ClassArguments& arguments, JsonWriter& json) {
  json.Key("normalizer");
  WriteSequence("normalizers", json, [&] {
    if (!arguments.charsmap.empty()) WritePrecompiled(arguments.charsmap, json);
  });
}

// Words at white space, each with U+2581 before it; and back.
void WriteWords(bool prefix, JsonWriter& json) {
  const std::string_view scheme = prefix ? "always" : "never";
  json.Key("pre_tokenizer");
  WriteSequence("pretokenizers", json, [&] {
    WriteComponent("WhitespaceSplit", json);
    WriteMetaspace(scheme, true, json);
  });
  json.Key("decoder");
  WriteMetaspace(scheme, true, json);
}

// The first piece of that text, and of a score if one is given.
std::optional<int64_t> FindPiece(const std::optional<JsonValue>& vocabulary, std::string_view text,
                                 std::optional<double> score) {
  if (!vocabulary) return std::nullopt;
  const auto pieces = JsonAs<simdjson::dom::array>(vocabulary->element());
  if (!pieces) return std::nullopt;
  int64_t id = 0;
  for (const simdjson::dom::element piece : *pieces) {
    std::string_view its_text;
    double its_score = 0;
    if (piece.at(0).get(its_text) == simdjson::SUCCESS && its_text == text &&
        piece.at(1).get(its_score) == simdjson::SUCCESS && its_score == score.value_or(its_score)) {
      return id;
    }
    ++id;
  }
  return std::nullopt;
}

}  // namespace

Status MakeXlmRobertaParts(const ClassArguments& arguments, JsonWriter& json) {
  ASSIGN_OR_RETURN(const bool prefix, arguments.config.Bool("add_prefix_space", true));
  if (arguments.has_tokenizer_json) {  // whose steps are kept
    if (!prefix) WriteWords(prefix, json);
    return {};
  }
  WriteUnigram(3, json);
  WriteCharsmap(arguments, json);
  WriteWords(prefix, json);
  return {};
}

Status MakeCamembertParts(const ClassArguments& arguments, JsonWriter& json) {
  ASSIGN_OR_RETURN(const bool prefix, arguments.config.Bool("add_prefix_space", true));
  const std::string unk_token = arguments.tokens.Text("unk_token");
  WriteUnigram(FindPiece(arguments.vocabulary, unk_token, std::nullopt).value_or(0), json);
  WriteCharsmap(arguments, json);
  WriteWords(prefix, json);
  return {};
}

Status MakeT5Parts(const ClassArguments& arguments, JsonWriter& json) {
  WriteUnigram(2, json);
  WriteCharsmap(arguments, json);
  WriteWords(true, json);
  return {};
}

Status MakeAlbertParts(const ClassArguments& arguments, JsonWriter& json) {
  const JsonValue& config = arguments.config;
  ASSIGN_OR_RETURN(const bool lowercase, config.Bool("do_lower_case", true));
  ASSIGN_OR_RETURN(const bool keep_accents, config.Bool("keep_accents", false));
  ASSIGN_OR_RETURN(const bool prefix, config.Bool("add_prefix_space", true));
  WriteUnigram(1, json);
  json.Key("normalizer");
  WriteSequence("normalizers", json, [&] {
    WriteReplace("String", "``", "\"", json);
    WriteReplace("String", "''", "\"", json);
    if (!keep_accents) {
      WriteComponent("NFKD", json);
      WriteComponent("StripAccents", json);
    }
    if (lowercase) WriteComponent("Lowercase", json);
    if (!arguments.charsmap.empty()) WritePrecompiled(arguments.charsmap, json);
  });
  WriteWords(prefix, json);
  return {};
}

// Of the model's table of characters nothing is taken.
Status MakeDebertaV2Parts(const ClassArguments& arguments, JsonWriter& json) {
  const JsonValue& config = arguments.config;
  ASSIGN_OR_RETURN(const bool lowercase, config.Bool("do_lower_case", false));
  ASSIGN_OR_RETURN(const bool punctuation, config.Bool("split_by_punct", false));
  ASSIGN_OR_RETURN(const bool prefix, config.Bool("add_prefix_space", true));
  ASSIGN_OR_RETURN(const int64_t said, config.Integer("unk_id", 0, INT32_MAX, 1));
  const auto found = FindPiece(arguments.vocabulary, arguments.tokens.Text("unk_token"), 0.0);
  const SentencePieceModel* const model = arguments.sentencepiece;
  WriteUnigram(found.value_or(model != nullptr ? model->unk_id : said), json);
  json.Key("normalizer");
  WriteSequence("normalizers", json, [&] {
    if (lowercase) WriteComponent("Lowercase", json);
    WriteReplace("Regex", R"(\s{2,}|[\n\r\t])", " ", json);
    WriteComponent("NFC", json);
    WriteStrip(false, true, json);
  });
  const std::string_view scheme = prefix ? "always" : "first";
  json.Key("pre_tokenizer");
  WriteSequence("pretokenizers", json, [&] {
    if (punctuation) {
      WriteComponent("Punctuation", json, [&] { json.Key("behavior").String("Isolated"); });
    }
    WriteMetaspace(scheme, true, json);
  });
  json.Key("decoder");
  WriteMetaspace(scheme, true, json);
  return {};
}

}  // namespace embedding
