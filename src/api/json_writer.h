// JSON written straight into the buffer that is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace embedding::api {

// Appends `text`, which must be valid UTF-8, as a JSON string.
void AppendJsonString(std::string_view text, std::string& out);

void AppendJsonInteger(uint64_t value, std::string& out);

// Appends "usage":{"prompt_tokens":n,"total_tokens":n}, as OpenAI, Jina and the native route have
// it.
void AppendUsage(size_t prompt_tokens, std::string& out);

// What a float takes at most, its comma included: -1.23456789e-38,
inline constexpr size_t kMaxJsonFloatChars = 16;

// Appends [v0,v1,...], each number in the shortest form that reads back as the same f32. Gives
// false, with `out` as it was, if a value is not finite: JSON has no way to write it.
[[nodiscard]] bool AppendJsonFloats(std::span<const float> values, std::string& out);

// One such number, and rows of `width` of them: [[...],[...]]. Errors: kInternal for what is not
// finite.
Status AppendJsonFloat(float value, std::string& out);
Status AppendRows(std::span<const float> values, size_t width, std::string& out);

}  // namespace embedding::api
