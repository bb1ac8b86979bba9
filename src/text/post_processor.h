// PostProcessor: cuts sequences of tokens to the length allowed and puts the special tokens around
// them.
//
// Thread-safety: immutable.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"

namespace embedding {

// What one text became.
struct TokenSequence {
  // How many tokens came of a word.
  struct WordTokens {
    uint32_t count;
    bool added;  // the word is an added token
  };

  // White space at the ends of a token's text, in characters: what offsets are trimmed by.
  struct Spaces {
    uint32_t leading;
    uint32_t trailing;
  };

  std::vector<int32_t> ids;
  std::vector<CharRange> offsets;  // empty unless wanted
  std::vector<Spaces> spaces;      // empty unless offsets are wanted and trimmed
  std::vector<WordTokens> words;

  void Clear();
};

// Pieces in order; what a sequence or a special token becomes.
struct Template {
  struct Piece {
    enum class Kind : uint8_t { kFirst, kSecond, kSpecial };
    Kind kind;
    int32_t type_id;
    int32_t id;  // of a special token
  };
  std::vector<Piece> pieces;  // each sequence at most once

  TemplateSize Size() const;
};

// What RobertaProcessing and ByteLevel do: offsets leave out white space at the ends of a token,
// but for a single leading space of a text's first token where the pre-tokenizer is said to add
// one.
struct OffsetTrim {
  bool adds_prefix_space = false;
};

struct PostProcessor {
  Template single;
  Template pair;
  std::vector<OffsetTrim> trims;  // done one after the other

  bool trims_offsets() const { return !trims.empty(); }

  // The tokens of one text (`second` null) or of a pair in one Encoding.
  Encoding Process(const TokenSequence& first, const TokenSequence* second,
                   const EncodeOptions& options) const;
};

}  // namespace embedding
