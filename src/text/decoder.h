// Decoder: token texts back to a text, as the tokenizer.json's "decoder" says.
//
// Thread-safety: immutable.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json_value.h"
#include "base/result.h"

namespace embedding {

class Decoder {
 public:
  // Without a "decoder": tokens joined by spaces.
  Decoder() = default;
  // WordPiece or Metaspace. Another kind is no error here: a model can be used without it.
  static Result<Decoder> FromJson(const JsonValue& node);

  // Errors: kUnsupported for another kind.
  Result<std::string> Decode(std::span<const std::string_view> tokens) const;

 private:
  enum class Kind { kNone, kWordPiece, kMetaspace, kOther };

  Kind kind_ = Kind::kNone;
  std::string name_;         // of kOther
  std::string prefix_;       // of pieces that continue a word
  bool cleanup_ = true;      // takes spaces before punctuation out
  std::string replacement_;  // what stands for a space
  bool drops_first_replacement_ = true;
};

}  // namespace embedding
