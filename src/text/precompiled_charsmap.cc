// The blob: u32 size in bytes of the trie, the trie's units (u32 each, all little-endian), and the
// replacements, NUL-terminated UTF-8 strings that the trie's values are offsets of.
//
// A unit of darts-clone: bits 0-7 the label (with bit 31, which marks a leaf, so that a leaf never
// equals a byte), bit 8 whether a key ends at this node, bits 10-30 the offset to the children,
// shifted by 8 if bit 9 is set. The unit at node ^ offset holds the value of a key that ends.
#include "text/precompiled_charsmap.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/utf8.h"

namespace embedding {
namespace {

// A replacement is a few characters (the longest of NFKC has 33 bytes). A blob with a longer one
// could make a short text into a very long one.
constexpr size_t kMaxReplacementBytes = 1024;

constexpr uint32_t kLeafBit = 1U << 31;

uint32_t Label(uint32_t unit) { return unit & (kLeafBit | 0xFFU); }
bool HasLeaf(uint32_t unit) { return ((unit >> 8) & 1) != 0; }
uint32_t Value(uint32_t unit) { return unit & ~kLeafBit; }
uint32_t Offset(uint32_t unit) { return (unit >> 10) << ((unit & (1U << 9)) >> 6); }

uint32_t ReadU32(std::string_view bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 4; i > 0; --i)
    value = (value << 8) | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

bool IsBoundary(std::string_view text, size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
}

Error Broken(std::string message) { return {ErrorCode::kModelLoad, std::move(message), ""}; }

constexpr uint8_t kNotBase64 = 0xFF;

constexpr std::array<uint8_t, 256> MakeBase64Table() {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<uint8_t, 256> table = {};
  table.fill(kNotBase64);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<uint8_t>(i);
  }
  return table;
}

constexpr std::array<uint8_t, 256> kBase64Table = MakeBase64Table();

// Padded base64, nothing else; nullopt if it is anything else.
std::optional<std::string> DecodeBase64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    uint32_t group = 0;
    for (size_t k = 0; k < 4; ++k) {
      const bool padded = i + k >= text.size() - padding;
      const uint8_t digit = padded ? 0 : kBase64Table[static_cast<unsigned char>(text[i + k])];
      if (digit == kNotBase64) return std::nullopt;
      group = (group << 6) | digit;
    }
    out += static_cast<char>(group >> 16);
    out += static_cast<char>((group >> 8) & 0xFF);
    out += static_cast<char>(group & 0xFF);
  }
  out.resize(out.size() - padding);
  return out;
}

// Whether everything that units point at is there: children, leaves, replacements. (Units that no
// key uses point at themselves.)
Status CheckUnits(const std::vector<uint32_t>& units, std::string_view replacements) {
  for (size_t i = 0; i < units.size(); ++i) {
    const uint32_t unit = units[i];
    if ((unit & kLeafBit) != 0) continue;  // a value, reached from the unit of its key
    const size_t node = i ^ Offset(unit);
    const std::string where = "has a trie whose unit " + std::to_string(i);
    if (node >= units.size()) {
      return Broken(where + " points at unit " + std::to_string(node) + " of " +
                    std::to_string(units.size()));
    }
    if (!HasLeaf(unit)) continue;
    if (!IsBoundary(replacements, Value(units[node]))) {
      return Broken(where + " has the replacement at byte " + std::to_string(Value(units[node])) +
                    ", where no character of the " + std::to_string(replacements.size()) +
                    " bytes of replacements begins");
    }
  }
  return {};
}

}  // namespace

Result<PrecompiledCharsmap> PrecompiledCharsmap::FromBase64(std::string_view base64) {
  const std::optional<std::string> blob = DecodeBase64(base64);
  if (!blob) return Broken("is not base64");
  return FromBlob(*blob);
}

Result<PrecompiledCharsmap> PrecompiledCharsmap::FromBlob(std::string_view blob) {
  if (blob.size() < 4) return Broken("is too short for the size of its trie");
  const size_t trie_bytes = ReadU32(blob, 0);
  blob.remove_prefix(4);
  if (trie_bytes == 0 || trie_bytes % 4 != 0 || trie_bytes > blob.size()) {
    return Broken("says that its trie has " + std::to_string(trie_bytes) + " bytes, and has " +
                  std::to_string(blob.size()) + " after that");
  }
  PrecompiledCharsmap charsmap;
  charsmap.units_.resize(trie_bytes / 4);
  for (size_t i = 0; i < charsmap.units_.size(); ++i) {
    charsmap.units_[i] = ReadU32(blob, 4 * i);
  }
  charsmap.replacements_ = blob.substr(trie_bytes);
  if (FindInvalidUtf8(charsmap.replacements_) != std::string_view::npos) {
    return Broken("has replacements that are not UTF-8");
  }
  const std::string_view replacements = charsmap.replacements_;
  for (size_t begin = 0; begin < replacements.size();) {
    const size_t end = std::min(replacements.find('\0', begin), replacements.size());
    if (end - begin > kMaxReplacementBytes) {
      return Broken("has a replacement of " + std::to_string(end - begin) + " bytes");
    }
    charsmap.max_replacement_bytes_ = std::max(charsmap.max_replacement_bytes_, end - begin);
    begin = end + 1;
  }
  RETURN_IF_ERROR(CheckUnits(charsmap.units_, replacements));
  return charsmap;
}

std::optional<std::string_view> PrecompiledCharsmap::Transform(std::string_view chunk) const {
  uint32_t node = Offset(units_[0]);
  for (const char c : chunk) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) return std::nullopt;
    node ^= byte;
    if (node >= units_.size() || Label(units_[node]) != byte) return std::nullopt;
    const uint32_t unit = units_[node];
    node ^= Offset(unit);
    if (!HasLeaf(unit)) continue;
    const std::string_view rest = std::string_view(replacements_).substr(Value(units_[node]));
    return rest.substr(0, rest.find('\0'));
  }
  return std::nullopt;
}

}  // namespace embedding
