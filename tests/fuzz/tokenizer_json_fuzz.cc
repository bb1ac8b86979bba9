// tokenizer.json: whatever it holds, it is refused, or it makes a tokenizer that keeps its word.
#include <memory>
#include <string>

#include "fuzz/encoding.h"
#include "fuzz/json_mutator.h"

namespace embedding {
namespace {

constexpr std::string_view kTexts[] = {
    "",
    " ",
    "a",
    "Hello, world!  it's <s>fine</s> [SEP]x[MASK]  <mask> new  newer ",
    "\t\n caf\u00e9 cafe\u0301 \u01c4 \u0130I\u0307 \ufb01 \u1e9e \uff21\u3000",
    "\u041f\u0440\u0438\u043c\u0435\u0440 \u4e2d\u6587\u5b57 \ud55c\uae00 \u1100\u1161\u11a8",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1f7\U0001f1fa \u0915\u094d\u0937",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa_\u2581_\u2581bbbb____##b ##",
    "don't I'LL 12345 x=3;\n\n  return \r\n\t\u00b2\u0661\u2163 abab abcabc \u0120a \x7f\u0085",
};

void CheckTexts(const Tokenizer& tokenizer) {
  for (const std::string_view text : kTexts) {
    for (const size_t max_tokens : {size_t{0}, size_t{1}, size_t{5}}) {
      const EncodeOptions options = {
          .add_special_tokens = max_tokens != 5,
          .max_tokens = max_tokens,
          .truncation_side = max_tokens == 1 ? TruncationSide::kLeft : TruncationSide::kRight,
          .with_offsets = max_tokens != 1};
      const Encoding encoding = tokenizer.Encode(text, options);
      CheckEncoding(tokenizer, encoding, options, CountCharacters(text));
      CheckDecoding(tokenizer, encoding);
      const std::string_view other = kTexts[3];
      CheckEncoding(tokenizer, tokenizer.EncodePair(text, other, options), options,
                    std::max(CountCharacters(text), CountCharacters(other)));
    }
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  const Result<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::FromJson(AsString(data, size));
  if (!tokenizer.ok()) {
    CheckModelError(tokenizer.error());
    return 0;
  }
  CheckTexts(**tokenizer);
  return 0;
}
