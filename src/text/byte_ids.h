// The pieces that stand for single bytes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "text/vocabulary.h"

namespace embedding {

// By byte; kNoPiece where the vocabulary has none.
inline constexpr int32_t kNoPiece = -1;
using ByteIds = std::array<int32_t, 256>;

// SentencePiece's, for what is no piece itself: "<0x00>" to "<0xFF>".
ByteIds FindFallbackBytes(const Vocabulary& vocabulary);
// Those of byte_level.h; nullopt unless all are there.
std::optional<ByteIds> FindByteLevelBytes(const Vocabulary& vocabulary);

}  // namespace embedding
