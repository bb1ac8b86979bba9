// The files that a tokenizer is made of where there is no tokenizer.json, and those beside one:
// they are refused, or make a tokenizer that keeps its word. The input is the files of kFiles in
// their order, divided by NULs; an empty one is not there.
#include <filesystem>
#include <iterator>
#include <string>

#include "fuzz/encoding.h"
#include "fuzz/files_in_memory.h"
#include "model/tokenizer_document.h"
#include "temp_dir.h"

namespace embedding {
namespace {

constexpr const char* kFiles[] = {"tokenizer_config.json",
                                  "special_tokens_map.json",
                                  "added_tokens.json",
                                  "tokenizer.json",
                                  "vocab.txt",
                                  "vocab.json",
                                  "merges.txt"};

constexpr std::string_view kTexts[] = {
    "", "Hello, world!  it's <s>fine</s> [SEP]x[MASK] <mask> a\n",
    "\u041f\u0440\u0438\u043c\u0435\u0440 \u4e2d\u6587 \u00e9e\u0301 \uff21 \U0001F600"};

void Fill(std::string_view input, TempDir& directory) {
  for (const char* name : kFiles) {
    const std::string_view content = TakePart(input, '\0');
    if (content.empty()) {
      std::filesystem::remove(directory.File(name));
    } else {
      directory.Write(name, content);
    }
  }
}

void CheckTexts(const Tokenizer& tokenizer) {
  const EncodeOptions options = {.max_tokens = 40, .with_offsets = true};
  for (const std::string_view text : kTexts) {
    const Encoding encoding = tokenizer.Encode(text, options);
    CheckEncoding(tokenizer, encoding, options, CountCharacters(text));
    CheckDecoding(tokenizer, encoding);
    CheckEncoding(tokenizer, tokenizer.EncodePair(text, kTexts[1], options), options,
                  std::max(CountCharacters(text), CountCharacters(kTexts[1])));
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  static TempDir directory;
  Fill(AsString(data, size), directory);
  const Result<TokenizerConfig> config =
      ReadTokenizerConfig(directory.path(), "bert", "", "BertTokenizer");
  if (!config.ok()) {
    CheckModelError(config.error());
    return 0;
  }
  const Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(*config);
  tokenizer.ok() ? CheckTexts(**tokenizer) : CheckModelError(tokenizer.error());
  return 0;
}
