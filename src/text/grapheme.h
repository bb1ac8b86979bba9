// Extended grapheme clusters (UAX #29), as the `unicode-segmentation` crate cuts them.
#pragma once

#include <cstddef>
#include <string_view>

namespace embedding {

// The end of the cluster that begins at `position` (at a boundary, before the end). `text` is valid
// UTF-8. Costs time in the length of the cluster.
size_t GraphemeClusterEnd(std::string_view text, size_t position);

}  // namespace embedding
