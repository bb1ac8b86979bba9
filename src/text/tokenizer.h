// Tokenizer: text -> input_ids, exactly as the `tokenizers` library reads the same tokenizer.json.
//
// Supported components: all that `tokenizers` 0.23 has
//   normalizers     BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled,
//                   Prepend, Replace, Sequence, Strip, StripAccents
//   pre-tokenizers  BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, FixedLength,
//   Metaspace,
//                   Punctuation, Sequence, Split, UnicodeScripts, Whitespace, WhitespaceSplit
//   models          BPE, Unigram, WordLevel, WordPiece
//   post-processors BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing
//   decoders        BPEDecoder, ByteFallback, ByteLevel, CTC, Fuse, Metaspace, Replace, Sequence,
//                   Strip, WordPiece
// Loading fails, with the place and what is to be done, for what would not give the library's
// tokens: other components but a decoder, regular expressions beyond regex.h, a dropout.
//
// Of the file's own "truncation" only the direction is read, and of "padding" nothing: how long a
// text may be is said with each call, and nothing here is ever padded.
//
// Thread-safety: immutable after loading; any number of threads may encode at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "embedding/truncation.h"

namespace embedding {

// Half-open range of characters (Unicode scalar values, not bytes) of the input text. Special
// tokens that a template adds have {0, 0}, as in `tokenizers`.
struct CharRange {
  uint32_t begin = 0;
  uint32_t end = 0;
};

// One encoded text or pair. The vectors run in parallel, one entry a token.
struct Encoding {
  std::vector<int32_t> ids;
  std::vector<int32_t> type_ids;      // segment of the token: 0, or 1 for a pair's second text
  std::vector<uint8_t> special_mask;  // 1 where the template added the token
  std::vector<CharRange> offsets;     // only with EncodeOptions::with_offsets, else empty
  // Tokens that the whole input would have had; more than ids.size() if it was truncated.
  size_t untruncated_tokens = 0;

  bool truncated() const { return untruncated_tokens > ids.size(); }
};

struct EncodeOptions {
  bool add_special_tokens = true;
  // Longest result in tokens, special tokens included, which are cut too if there are more of them;
  // 0 is no limit. A pair is cut as `tokenizers` does it by "longest_first".
  size_t max_tokens = 0;
  TruncationSide truncation_side = TruncationSide::kRight;
  bool with_offsets = false;
};

// What a post-processor adds to one text or to a pair.
struct TemplateSize {
  size_t special_tokens = 0;  // which are there however short a text is cut
  size_t types = 0;           // the largest type id it gives, plus one
};

class JsonValue;
struct TokenizerOverrides;

class Tokenizer {
 public:
  // Errors: kModelLoad, naming the file and the component, field or entry that cannot be used.
  static Result<std::unique_ptr<Tokenizer>> FromFile(const std::string& path);
  // `json` is the content of a tokenizer.json.
  static Result<std::unique_ptr<Tokenizer>> FromJson(std::string_view json);
  // `document` is a tokenizer.json that has been read, or made of the files of before it.
  static Result<std::unique_ptr<Tokenizer>> FromDocument(const JsonValue& document,
                                                         const TokenizerOverrides& overrides);

  virtual ~Tokenizer() = default;

  // `text` must be valid UTF-8 (see FindInvalidUtf8), the empty text included, and shorter than
  // 4 GiB once it is normalised. Time and memory are linear in it.
  virtual Encoding Encode(std::string_view text, const EncodeOptions& options) const = 0;
  Encoding EncodePair(std::string_view first, std::string_view second,
                      const EncodeOptions& options) const {
    const std::string seconds[] = {std::string(second)};
    return std::move(EncodePairs(first, seconds, options).front());
  }
  // The pairs of `first` with each of `seconds`, in whose order they come.
  virtual std::vector<Encoding> EncodePairs(std::string_view first,
                                            std::span<const std::string> seconds,
                                            const EncodeOptions& options) const = 0;

  // The largest id that Encode can give, plus one; and the same without added tokens that a text
  // has to contain: what a model's vocab_size must reach.
  virtual size_t vocab_size() const = 0;
  virtual size_t model_vocab_size() const = 0;
  // Which end of a text is cut where nobody says it.
  virtual TruncationSide truncation_side() const = 0;
  // What Encode and EncodePair add: the types are what a model's type_vocab_size must reach.
  virtual TemplateSize single_size() const = 0;
  virtual TemplateSize pair_size() const = 0;

  virtual std::optional<int32_t> TokenToId(std::string_view token) const = 0;
  // A text of these ids; ids that no token has are passed over. Errors: kUnsupported for a
  // tokenizer whose decoder is not supported.
  virtual Result<std::string> Decode(std::span<const int32_t> ids,
                                     bool skip_special_tokens) const = 0;
  // The token's text as the vocabulary has it ("▁world", "##ing"), or empty for no such id.
  virtual std::string_view IdToToken(int32_t id) const = 0;
};

}  // namespace embedding
