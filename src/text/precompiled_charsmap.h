// PrecompiledCharsmap: SentencePiece's table of what replaces which characters.
//
// The table is a file's bytes and is not trusted: one that points outside itself is refused, and no
// other makes a lookup read outside, take more than the chunk's length in steps, or give back
// anything but valid UTF-8.
//
// Thread-safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

class PrecompiledCharsmap {
 public:
  // Errors: kModelLoad, saying what is wrong with the blob.
  static Result<PrecompiledCharsmap> FromBase64(std::string_view base64);
  static Result<PrecompiledCharsmap> FromBlob(std::string_view blob);

  // What the whole of `chunk` (valid UTF-8) is to be replaced by: that of the shortest prefix of it
  // in the table, as the `spm_precompiled` crate does it. nullopt if the chunk stays as it is.
  std::optional<std::string_view> Transform(std::string_view chunk) const;

  // Of the longest replacement.
  size_t max_replacement_bytes() const { return max_replacement_bytes_; }

 private:
  std::vector<uint32_t> units_;  // darts-clone's double array
  std::string replacements_;     // each ends with a NUL
  size_t max_replacement_bytes_ = 0;
};

}  // namespace embedding
