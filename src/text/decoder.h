// Decoder: token texts back to a text, as the tokenizer.json's "decoder" says.
//
// Thread-safety: immutable.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/result.h"

namespace embedding {

// One step of a Decoder, which changes the tokens' texts and may make fewer of them.
class DecoderStep {
 public:
  virtual ~DecoderStep() = default;
  virtual void Apply(std::vector<std::string>& tokens) const = 0;
  // How many times as many bytes a text can have afterwards, where the file says it.
  virtual size_t max_growth() const { return 1; }
};

class Decoder {
 public:
  // Without a "decoder": tokens joined by spaces.
  Decoder() = default;
  // One of a kind that is not supported is no error here: a model can be used without it. Errors:
  // kModelLoad for one whose fields are wrong.
  static Result<Decoder> FromJson(const JsonValue& node);

  // Valid UTF-8. Errors: kUnsupported for a decoder that is not supported.
  Result<std::string> Decode(std::span<const std::string_view> tokens) const;

 private:
  std::string problem_;
  bool joins_by_spaces_ = true;
  std::vector<std::unique_ptr<DecoderStep>> steps_;
};

// The steps that a "decoder" says, a Sequence as its members in order. Errors: kUnsupported for one
// of a kind that is not supported, kModelLoad for wrong fields, with the path in the document.
Result<std::vector<std::unique_ptr<DecoderStep>>> ParseDecoder(const JsonValue& node);

}  // namespace embedding
