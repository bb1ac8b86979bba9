// Shapes as files give them: numbers that may be negative, absurd or overflow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace embedding {

// Product of the dimensions, 1 for a scalar. nullopt if one is negative or the product, at eight
// bytes an element, does not fit a size_t.
std::optional<size_t> CountElements(std::span<const int64_t> shape);

// "[2, 3]"; of a shape with absurdly many dimensions only the first.
std::string FormatShape(std::span<const int64_t> shape);

}  // namespace embedding
