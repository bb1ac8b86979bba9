#include "text/decoder.h"

#include <utility>

namespace embedding {

Result<Decoder> Decoder::FromJson(const JsonValue& node) {
  Decoder decoder;
  decoder.joins_by_spaces_ = false;
  Result<std::vector<std::unique_ptr<DecoderStep>>> steps = ParseDecoder(node);
  if (steps.ok()) {
    decoder.steps_ = *std::move(steps);
  } else if (steps.error().code == ErrorCode::kUnsupported) {
    decoder.problem_ = steps.error().message;
  } else {
    return std::move(steps).error();
  }
  return decoder;
}

Result<std::string> Decoder::Decode(std::span<const std::string_view> tokens) const {
  if (!problem_.empty()) {
    return Error{ErrorCode::kUnsupported, "the tokenizer cannot decode: its " + problem_, ""};
  }
  std::vector<std::string> texts(tokens.begin(), tokens.end());
  for (const auto& step : steps_) step->Apply(texts);
  std::string text;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (joins_by_spaces_ && i > 0) text += ' ';
    text += texts[i];
  }
  return text;
}

}  // namespace embedding
