// What has to hold of everything that a tokenizer gives.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "fuzz/check.h"
#include "text/tokenizer.h"

namespace embedding {

// `characters` is how many the longest text of the input has.
inline void CheckEncoding(const Tokenizer& tokenizer, const Encoding& encoding,
                          const EncodeOptions& options, size_t characters) {
  const size_t tokens = encoding.ids.size();
  FUZZ_CHECK(encoding.type_ids.size() == tokens);
  FUZZ_CHECK(encoding.special_mask.size() == tokens);
  FUZZ_CHECK(encoding.offsets.size() == (options.with_offsets ? tokens : 0));
  FUZZ_CHECK(options.max_tokens == 0 || tokens <= options.max_tokens);
  FUZZ_CHECK(encoding.untruncated_tokens >= tokens);
  for (size_t i = 0; i < tokens; ++i) {
    FUZZ_CHECK(encoding.ids[i] >= 0);
    FUZZ_CHECK(static_cast<size_t>(encoding.ids[i]) < tokenizer.vocab_size());
    FUZZ_CHECK(encoding.type_ids[i] >= 0);
    FUZZ_CHECK(encoding.special_mask[i] <= 1);
    if (!options.with_offsets) continue;
    FUZZ_CHECK(encoding.offsets[i].begin <= encoding.offsets[i].end);
    FUZZ_CHECK(encoding.offsets[i].end <= characters);
    FUZZ_CHECK(encoding.special_mask[i] == 0 || encoding.offsets[i].end == 0);
  }
}

// Token texts and decoded texts go into JSON.
inline void CheckDecoding(const Tokenizer& tokenizer, const Encoding& encoding) {
  for (const int32_t id : encoding.ids) FUZZ_CHECK(IsUtf8(tokenizer.IdToToken(id)));
  for (const bool skip_special_tokens : {false, true}) {
    const Result<std::string> decoded = tokenizer.Decode(encoding.ids, skip_special_tokens);
    FUZZ_CHECK(decoded.ok() ? IsUtf8(*decoded) : decoded.error().code == ErrorCode::kUnsupported);
  }
}

inline bool IsSame(const Encoding& a, const Encoding& b) {
  const auto same = [](CharRange x, CharRange y) { return x.begin == y.begin && x.end == y.end; };
  return a.ids == b.ids && a.type_ids == b.type_ids && a.special_mask == b.special_mask &&
         a.untruncated_tokens == b.untruncated_tokens &&
         std::equal(a.offsets.begin(), a.offsets.end(), b.offsets.begin(), b.offsets.end(), same);
}

}  // namespace embedding
