// Texts, of any bytes, through the tokenizers of all-MiniLM-L6-v2 (WordPiece) and bge-m3 (Unigram),
// and small ones of other kinds. The first two bytes say which, and how to encode; the rest is the
// text, or two that a NUL divides.
#include <simdjson.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fuzz/encoding.h"
#include "test_data.h"

namespace embedding {
namespace {

std::vector<std::unique_ptr<Tokenizer>> LoadAll() {
  std::vector<std::unique_ptr<Tokenizer>> tokenizers;
  // Two by their model's bit, and others by two bits more.
  for (const std::string& path :
       {FetchedModel("bge-m3-tokenizer/tokenizer.json"),
        FetchedModel("all-MiniLM-L6-v2/tokenizer.json"), TestData("small-tokenizers/roberta.json"),
        TestData("small-tokenizers/llama2.json"), TestData("small-tokenizers/modernbert.json"),
        TestData("small-tokenizers/clip.json"), TestData("small-tokenizers/subwords.json"),
        TestData("small-tokenizers/t5.json")}) {
    Result<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::FromFile(path);
    if (!tokenizer.ok()) {
      std::fprintf(stderr, "%s\n", tokenizer.error().message.c_str());
      std::exit(1);
    }
    tokenizers.push_back(*std::move(tokenizer));
  }
  return tokenizers;
}

// Truncation keeps one end of what there would be without it.
void CheckTruncation(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  options.add_special_tokens = false;
  const Encoding cut = tokenizer.Encode(text, options);
  options.max_tokens = 0;
  const Encoding whole = tokenizer.Encode(text, options);
  FUZZ_CHECK(!whole.truncated());
  FUZZ_CHECK(cut.untruncated_tokens == whole.ids.size());
  const bool from_left = options.truncation_side == TruncationSide::kRight;
  FUZZ_CHECK(from_left ? std::equal(cut.ids.begin(), cut.ids.end(), whole.ids.begin())
                       : std::equal(cut.ids.rbegin(), cut.ids.rend(), whole.ids.rbegin()));
}

void CheckText(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  const Encoding encoding = tokenizer.Encode(text, options);
  CheckEncoding(tokenizer, encoding, options, CountCharacters(text));
  CheckDecoding(tokenizer, encoding);
  FUZZ_CHECK(IsSame(encoding, tokenizer.Encode(text, options)));
  EncodeOptions other = options;
  other.with_offsets = !options.with_offsets;
  FUZZ_CHECK(tokenizer.Encode(text, other).ids == encoding.ids);
  CheckTruncation(tokenizer, text, options);
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  static const auto& tokenizers = *new auto(LoadAll());
  if (size < 2) return 0;
  const Tokenizer& tokenizer = *tokenizers[(data[0] & 1) | ((data[0] >> 3) & 6)];
  const EncodeOptions options = {
      .add_special_tokens = (data[0] & 2) != 0,
      .max_tokens = data[1],
      .truncation_side = (data[0] & 4) != 0 ? TruncationSide::kLeft : TruncationSide::kRight,
      .with_offsets = (data[0] & 8) != 0};
  std::string_view text = AsString(data + 2, size - 2);
  const size_t invalid = FindInvalidUtf8(text);
  FUZZ_CHECK((invalid == std::string_view::npos) == simdjson::validate_utf8(text));
  text = text.substr(0, invalid);
  FUZZ_CHECK(IsUtf8(text));

  std::string_view second = text;
  const std::string_view first = TakePart(second, '\0');
  CheckText(tokenizer, text, options);
  const Encoding pair = tokenizer.EncodePair(first, second, options);
  CheckEncoding(tokenizer, pair, options,
                std::max(CountCharacters(first), CountCharacters(second)));
  FUZZ_CHECK(IsSame(pair, tokenizer.EncodePair(first, second, options)));
  return 0;
}
