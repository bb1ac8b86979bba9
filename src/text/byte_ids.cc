#include "text/byte_ids.h"

#include <cstddef>
#include <string>
#include <string_view>

#include "text/byte_level.h"

namespace embedding {

ByteIds FindFallbackBytes(const Vocabulary& vocabulary) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  ByteIds ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    const std::string text = std::string("<0x") + kDigits[byte / 16] + kDigits[byte % 16] + ">";
    ids[byte] = vocabulary.IdOf(text).value_or(kNoPiece);
  }
  return ids;
}

std::optional<ByteIds> FindByteLevelBytes(const Vocabulary& vocabulary) {
  ByteIds ids;
  for (size_t byte = 0; byte < ids.size(); ++byte) {
    const std::optional<int32_t> id = vocabulary.IdOf(ByteCharacters()[byte]);
    if (!id) return std::nullopt;
    ids[byte] = *id;
  }
  return ids;
}

}  // namespace embedding
