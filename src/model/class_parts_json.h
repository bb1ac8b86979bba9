// Components of tokenizer.json that several tokenizer classes have.
#pragma once

#include <string_view>

#include "base/json_writer.h"

namespace embedding {

// {"type":<type>,...<members>}
template <typename Members>
void WriteComponent(std::string_view type, JsonWriter& json, const Members& members) {
  json.BeginObject().Key("type").String(type);
  members();
  json.EndObject();
}
inline void WriteComponent(std::string_view type, JsonWriter& json) {
  WriteComponent(type, json, [] {});
}

// {"type":"Sequence",<list>:[...<members>]}; without members it is a step that does nothing.
template <typename Members>
void WriteSequence(std::string_view list, JsonWriter& json, const Members& members) {
  WriteComponent("Sequence", json, [&] {
    json.Key(list).BeginArray();
    members();
    json.EndArray();
  });
}

inline constexpr std::string_view kMetaspace = "\u2581";

inline void WriteMetaspace(std::string_view prepend_scheme, bool split, JsonWriter& json) {
  WriteComponent("Metaspace", json, [&] {
    json.Key("replacement").String(kMetaspace).Key("prepend_scheme").String(prepend_scheme);
    json.Key("split").Bool(split);
  });
}

inline void WriteReplace(std::string_view pattern_kind, std::string_view pattern,
                         std::string_view content, JsonWriter& json) {
  WriteComponent("Replace", json, [&] {
    json.Key("pattern").BeginObject().Key(pattern_kind).String(pattern).EndObject();
    json.Key("content").String(content);
  });
}

// `charsmap` is a string of JSON.
inline void WritePrecompiled(std::string_view charsmap, JsonWriter& json) {
  WriteComponent("Precompiled", json, [&] { json.Key("precompiled_charsmap").Json(charsmap); });
}

inline void WriteByteLevel(bool add_prefix_space, bool use_regex, JsonWriter& json) {
  WriteComponent("ByteLevel", json, [&] {
    json.Key("add_prefix_space").Bool(add_prefix_space).Key("trim_offsets").Bool(true);
    json.Key("use_regex").Bool(use_regex);
  });
}

inline void WriteStrip(bool left, bool right, JsonWriter& json) {
  WriteComponent("Strip", json,
                 [&] { json.Key("strip_left").Bool(left).Key("strip_right").Bool(right); });
}

// "decoder" of what has bytes that stand for themselves: the space back, the bytes, one text, and
// the first `strip` spaces gone.
inline void WriteByteFallbackDecoder(int strip, JsonWriter& json) {
  json.Key("decoder");
  WriteSequence("decoders", json, [&] {
    WriteReplace("String", kMetaspace, " ", json);
    WriteComponent("ByteFallback", json);
    WriteComponent("Fuse", json);
    if (strip == 0) return;
    WriteComponent("Strip", json, [&] {
      json.Key("content").String(" ").Key("start").Integer(strip).Key("stop").Integer(0);
    });
  });
}

}  // namespace embedding
