// What is wrong with a document's JSON without being anybody's concern: put right where it stands,
// so that only the field that is read is refused for it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace embedding {

// What a string has where there was half of a surrogate pair: U+FFFE, which is no character.
inline constexpr std::string_view kUnpairedSurrogate = "\xEF\xBF\xBE";

// Replaces every escape of an unpaired surrogate by that of U+FFFE, which is as long. Gives whether
// there was any.
bool ReplaceUnpairedSurrogates(std::string& json);

// What stands for a number that is beyond the range of double, as 1e400 is.
inline constexpr double kHuge = 1e308;
inline constexpr std::string_view kHugeNumber = "1e308";

// Writes integers that may need more than 64 bits, those of more than 19 digits or of 19 behind a
// minus, as real numbers: their last two digits become "e2". Replaces numbers beyond the range of
// double by kHugeNumber and spaces, or by the same behind a minus. Their lengths stay. Gives
// whether there was any.
bool ReplaceLargeNumbers(std::string& json);

}  // namespace embedding
