// How texts that are too long are cut: fields that most dialects have.
#pragma once

#include <string_view>

#include "api/json_reader.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace embedding::api {

// Reads "truncate" (true if absent), "truncation_direction" and vLLM's "truncate_prompt_tokens"
// (-1 is what the model takes) into an EmbedRequest or a RerankRequest. Errors: kInvalidArgument.
template <typename Request>
Status ReadTruncation(const JsonReader& json, Request& request) {
  ASSIGN_OR_RETURN(request.truncate, json.Bool("truncate", true));
  constexpr std::string_view kDirections[] = {"Right", "Left", "right", "left"};
  ASSIGN_OR_RETURN(const size_t direction, json.Choice("truncation_direction", kDirections));
  if (json.Has("truncation_direction")) {
    request.truncation_side = direction % 2 == 1 ? TruncationSide::kLeft : TruncationSide::kRight;
  }
  ASSIGN_OR_RETURN(request.max_tokens, json.TokenLimit("truncate_prompt_tokens"));
  return {};
}

}  // namespace embedding::api
