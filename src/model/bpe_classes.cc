// Classes of BPE models.
#include <string_view>

#include "model/class_parts.h"
#include "model/class_parts_json.h"

namespace embedding {
namespace {

// "model" of a BPE. `unk_token` empty: none.
void WriteBpe(std::string_view unk_token, bool falls_back, JsonWriter& json) {
  json.Key("model").BeginObject().Key("dropout").Null().Key("unk_token");
  unk_token.empty() ? json.Null() : json.String(unk_token);
  for (const char* affix : {"continuing_subword_prefix", "end_of_word_suffix"}) {
    falls_back ? json.Key(affix).Null() : json.Key(affix).String("");
  }
  json.Key("fuse_unk").Bool(falls_back).Key("byte_fallback").Bool(falls_back);
  json.Key("ignore_merges").Bool(false).EndObject();
}

// What Qwen cuts a text into; a text of the field, not of ours.
constexpr std::string_view kQwen2Words =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

}  // namespace

Status MakeRobertaParts(const ClassArguments& arguments, JsonWriter& json) {
  ASSIGN_OR_RETURN(const bool prefix, arguments.config.Bool("add_prefix_space", false));
  WriteBpe("", false, json);
  json.Key("normalizer");
  WriteSequence("normalizers", json, [] {});
  json.Key("pre_tokenizer");
  WriteByteLevel(prefix, true, json);
  json.Key("decoder");
  WriteByteLevel(true, true, json);
  return {};
}

Status MakeQwen2Parts(const ClassArguments& arguments, JsonWriter& json) {
  ASSIGN_OR_RETURN(const bool prefix, arguments.config.Bool("add_prefix_space", false));
  WriteBpe("", false, json);
  json.Key("normalizer");
  WriteComponent("NFC", json);
  json.Key("pre_tokenizer");
  WriteSequence("pretokenizers", json, [&] {
    WriteComponent("Split", json, [&] {
      json.Key("pattern").BeginObject().Key("Regex").String(kQwen2Words).EndObject();
      json.Key("behavior").String("Isolated").Key("invert").Bool(false);
    });
    WriteByteLevel(prefix, false, json);
  });
  json.Key("decoder");
  WriteByteLevel(true, true, json);
  return {};
}

Status MakeLlamaParts(const ClassArguments& arguments, JsonWriter& json) {
  ASSIGN_OR_RETURN(const bool prefix, arguments.config.Bool("add_prefix_space", true));
  ASSIGN_OR_RETURN(const bool legacy, arguments.config.Bool("legacy", false));
  WriteBpe("", true, json);
  json.Key("normalizer");
  WriteSequence("normalizers", json, [] {});
  json.Key("pre_tokenizer");
  WriteMetaspace(!prefix ? "never" : legacy ? "always" : "first", false, json);
  WriteByteFallbackDecoder(prefix ? 1 : 0, json);
  return {};
}

Status MakeGemmaParts(const ClassArguments& arguments, JsonWriter& json) {
  WriteBpe(arguments.tokens.Text("unk_token"), true, json);
  json.Key("normalizer");
  WriteReplace("String", " ", kMetaspace, json);
  json.Key("pre_tokenizer");
  WriteComponent("Split", json, [&] {
    json.Key("pattern").BeginObject().Key("String").String(" ").EndObject();
    json.Key("behavior").String("MergedWithPrevious").Key("invert").Bool(false);
  });
  WriteByteFallbackDecoder(0, json);
  return {};
}

}  // namespace embedding
