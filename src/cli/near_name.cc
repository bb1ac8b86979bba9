#include "cli/near_name.h"

#include <algorithm>
#include <cctype>
#include <cstddef>

namespace embedding::cli {
namespace {

std::string Folded(std::string_view name) {
  std::string folded(name.substr(std::min(name.find_first_not_of("-_"), name.size())));
  std::transform(folded.begin(), folded.end(), folded.begin(), [](unsigned char c) {
    return c == '_' ? '-' : static_cast<char>(std::tolower(c));
  });
  return folded;
}

// Letters to insert, delete, replace or swap with their neighbours to get from one to the other.
size_t Distance(std::string_view from, std::string_view to) {
  std::vector<std::vector<size_t>> steps(from.size() + 1, std::vector<size_t>(to.size() + 1));
  for (size_t i = 0; i <= from.size(); ++i) {
    for (size_t j = 0; j <= to.size(); ++j) {
      if (i == 0 || j == 0) {
        steps[i][j] = i + j;
        continue;
      }
      const size_t replaced = steps[i - 1][j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
      steps[i][j] = std::min({replaced, steps[i - 1][j] + 1, steps[i][j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1];
      if (swapped) steps[i][j] = std::min(steps[i][j], steps[i - 2][j - 2] + 1);
    }
  }
  return steps[from.size()][to.size()];
}

}  // namespace

std::string NearestName(std::string_view given, const std::vector<std::string>& names) {
  constexpr size_t kLongest = 60;  // no name is longer, and the table above grows by the square
  const std::string folded = Folded(given);
  if (folded.empty() || folded.size() > kLongest) return "";
  size_t least = std::max<size_t>(1, folded.size() / 3) + 1;
  std::string nearest_name;
  for (const std::string& name : names) {
    const size_t distance = Distance(folded, Folded(name));
    if (distance >= least) continue;
    least = distance;
    nearest_name = name;
  }
  return nearest_name;
}

}  // namespace embedding::cli
