#include "weights/shape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace embedding {

std::optional<size_t> CountElements(std::span<const int64_t> shape) {
  constexpr size_t kMaxElements = std::numeric_limits<size_t>::max() / 8;
  size_t elements = 1;
  for (const int64_t dimension : shape) {
    if (dimension < 0) return std::nullopt;
    const auto n = static_cast<size_t>(dimension);
    if (n != 0 && elements > kMaxElements / n) return std::nullopt;
    elements *= n;
  }
  return elements;
}

std::string FormatShape(std::span<const int64_t> shape) {
  constexpr size_t kShown = 8;
  const auto shown = shape.first(std::min(shape.size(), kShown));
  return fmt::format("[{}{}]", fmt::join(shown, ", "), shape.size() > kShown ? ", ..." : "");
}

}  // namespace embedding
