// What somebody who mistyped a name may have meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace embedding::cli {

// The one of `names` that `given` is a mistyping of: a letter in three wrong, or letters swapped.
// Empty if none is that near. Capitals, and the kind of dash and how many stand in front, do not
// count.
std::string NearestName(std::string_view given, const std::vector<std::string>& names);

}  // namespace embedding::cli
