// Classes of WordPiece models.
#include "model/class_parts.h"
#include "model/class_parts_json.h"

namespace embedding {

Status MakeBertParts(const ClassArguments& arguments, JsonWriter& json) {
  const JsonValue& config = arguments.config;
  ASSIGN_OR_RETURN(const bool lowercase, config.Bool("do_lower_case", true));
  ASSIGN_OR_RETURN(const bool chinese, config.Bool("tokenize_chinese_chars", true));
  ASSIGN_OR_RETURN(const bool strip_accents, config.Bool("strip_accents", false));
  json.Key("model").BeginObject();
  json.Key("unk_token").String(arguments.tokens.Text("unk_token"));
  json.Key("continuing_subword_prefix").String("##");
  json.Key("max_input_chars_per_word").Integer(100).EndObject();
  json.Key("normalizer");
  WriteComponent("BertNormalizer", json, [&] {
    json.Key("clean_text").Bool(true).Key("handle_chinese_chars").Bool(chinese);
    // Null is what lowercase is.
    json.Key("strip_accents")
        .Json(!config.Has("strip_accents") ? "null"
              : strip_accents              ? "true"
                                           : "false");
    json.Key("lowercase").Bool(lowercase);
  });
  json.Key("pre_tokenizer");
  WriteComponent("BertPreTokenizer", json);
  json.Key("decoder");
  WriteComponent("WordPiece", json,
                 [&] { json.Key("prefix").String("##").Key("cleanup").Bool(true); });
  return {};
}

}  // namespace embedding
