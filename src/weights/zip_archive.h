// Zip archives whose entries are stored, not compressed: their bytes can be used where they lie.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace embedding {

// An entry's name and content, both views into the archive.
struct ZipEntry {
  std::string_view name;
  std::span<const std::byte> bytes;
};

// The entries in the order of the central directory. Names are unique, contents do not overlap.
// Zip64 is read; the CRCs are not checked (that would read gigabytes at start).
// Errors: kModelLoad, naming the entry and what is wrong with it: compressed, encrypted, outside
// the file, overlapping, contradicting its local header, there twice; or the record that is broken.
Result<std::vector<ZipEntry>> ReadZip(std::span<const std::byte> file);

}  // namespace embedding
