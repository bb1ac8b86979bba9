// Which end of a text is kept where it is too long.
#pragma once

namespace embedding {

enum class TruncationSide {
  kRight,  // keep the beginning
  kLeft,   // keep the end
};

}  // namespace embedding
