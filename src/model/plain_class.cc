// TokenizersBackend.
#include "model/class_parts.h"
#include "model/class_parts_json.h"

namespace embedding {

Status MakePlainParts(const ClassArguments& arguments, JsonWriter& json) {
  const SentencePieceModel& model = *arguments.sentencepiece;
  json.Key("model").BeginObject();
  if (model.algorithm == SentencePieceModel::Algorithm::kUnigram) {
    json.Key("unk_id").Integer(model.unk_id);
  } else {
    json.Key("dropout").Null().Key("unk_token").String(model.unk_piece);
    json.Key("continuing_subword_prefix").Null().Key("end_of_word_suffix").Null();
    json.Key("fuse_unk").Bool(true).Key("ignore_merges").Bool(false);
  }
  json.Key("byte_fallback").Bool(model.byte_fallback).EndObject();
  json.Key("normalizer");
  WriteSequence("normalizers", json, [&] {
    if (!arguments.charsmap.empty()) WritePrecompiled(arguments.charsmap, json);
    WriteReplace("String", " ", kMetaspace, json);
  });
  if (model.byte_fallback) {
    WriteByteFallbackDecoder(0, json);
  } else {
    json.Key("decoder");
    WriteSequence("decoders", json, [&] { WriteReplace("String", kMetaspace, " ", json); });
  }
  return {};
}

}  // namespace embedding
