// How many tokens a request had, as OpenAI, Jina and the native route tell it.
#pragma once

#include <cstddef>

#include "base/json_writer.h"

namespace embedding::api {

// Writes "usage":{"prompt_tokens":n,"total_tokens":n}, a field of the object that has been begun.
inline void WriteUsage(size_t prompt_tokens, JsonWriter& json) {
  json.Key("usage").BeginObject();
  json.Key("prompt_tokens").Integer(prompt_tokens);
  json.Key("total_tokens").Integer(prompt_tokens).EndObject();
}

}  // namespace embedding::api
