// The kinds of DecoderStep.
#pragma once

#include <memory>
#include <string>

#include "text/decoder.h"
#include "text/regex.h"

namespace embedding {

// Pieces without `prefix` are words, before which there is a space; with `cleanup` none before
// punctuation.
std::unique_ptr<DecoderStep> MakeWordPieceDecoder(std::string prefix, bool cleanup);
// `replacement` is a space again, or (drops_first) nothing in the first token.
std::unique_ptr<DecoderStep> MakeMetaspaceDecoder(std::string replacement, bool drops_first);
// All tokens' characters are bytes again (byte_level.h), of which those that are no UTF-8 become
// U+FFFD. A token that has others stays.
std::unique_ptr<DecoderStep> MakeByteLevelDecoder();
// Tokens side by side like "<0xE2>" become the text of their bytes, or, if it is no UTF-8, a U+FFFD
// each.
std::unique_ptr<DecoderStep> MakeByteFallbackDecoder();
std::unique_ptr<DecoderStep> MakeFuseDecoder();
// Up to `start` of the character at a token's beginning go, and `stop` at its end.
std::unique_ptr<DecoderStep> MakeStripDecoder(std::string character, size_t start, size_t stop);
// In each token alone.
std::unique_ptr<DecoderStep> MakeReplaceDecoder(std::string literal, std::string content);
std::unique_ptr<DecoderStep> MakeReplaceDecoder(Regex regex, std::string content);
// What ends a word is a space, and in the last token nothing.
std::unique_ptr<DecoderStep> MakeBpeDecoder(std::string suffix);
// Of equal tokens side by side one stays; `pad_token` goes, and with `cleanup` `word_delimiter` is
// a space.
std::unique_ptr<DecoderStep> MakeCtcDecoder(std::string pad_token, std::string word_delimiter,
                                            bool cleanup);

}  // namespace embedding
