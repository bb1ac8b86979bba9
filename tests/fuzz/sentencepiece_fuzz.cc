// Files of SentencePiece models: whatever one holds, it is refused, or it makes a tokenizer that
// keeps its word. The first byte of the input says for which class it is read.
#include <iterator>
#include <set>
#include <string>

#include "fuzz/encoding.h"
#include "fuzz/files_in_memory.h"
#include "model/tokenizer_document.h"
#include "temp_dir.h"
#include "text/merges.h"
#include "text/sentencepiece_model.h"

namespace embedding {
namespace {

constexpr const char* kClasses[] = {"XLMRobertaTokenizer", "CamembertTokenizer", "AlbertTokenizer",
                                    "T5Tokenizer",         "DebertaV2Tokenizer", "LlamaTokenizer",
                                    "GemmaTokenizer",      "TokenizersBackend"};

constexpr std::string_view kTexts[] = {
    "", "Hello, world!  it's <s>fine</s> [SEP]x[MASK] <mask> \u2581a\n",
    "\u041f\u0440\u0438\u043c\u0435\u0440 \u4e2d\u6587 \u00e9e\u0301 \uff21 \U0001F600"};

void CheckModel(const SentencePieceModel& model) {
  FUZZ_CHECK(!model.pieces.empty());
  std::vector<std::string_view> texts;
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    FUZZ_CHECK(!piece.text.empty() && IsUtf8(piece.text));
    FUZZ_CHECK(piece.score - piece.score == 0);
    texts.push_back(piece.text);
  }
  for (const std::string_view text : {model.unk_piece, model.bos_piece, model.eos_piece}) {
    FUZZ_CHECK(IsUtf8(text));
  }
  const std::set<std::string_view> known(texts.begin(), texts.end());
  for (const Merge& merge : GenerateMerges(texts)) {
    FUZZ_CHECK(known.contains(merge.left) && known.contains(merge.right));
    FUZZ_CHECK(known.contains(std::string(merge.left).append(merge.right)));
  }
}

void CheckTexts(const Tokenizer& tokenizer) {
  for (const std::string_view text : kTexts) {
    const EncodeOptions options = {.max_tokens = 40, .with_offsets = true};
    const Encoding encoding = tokenizer.Encode(text, options);
    CheckEncoding(tokenizer, encoding, options, CountCharacters(text));
    CheckDecoding(tokenizer, encoding);
  }
}

}  // namespace
}  // namespace embedding

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace embedding;
  if (size == 0) return 0;
  const std::string_view file = AsString(data + 1, size - 1);
  const Result<SentencePieceModel> model = ReadSentencePieceModel(file);
  model.ok() ? CheckModel(*model) : CheckModelError(model.error());
  static TempDir directory;
  directory.Write("tokenizer.model", file);
  directory.Write("tokenizer_config.json", R"({"extra_ids": 3})");
  const Result<TokenizerConfig> config =
      ReadTokenizerConfig(directory.path(), "", kClasses[data[0] % std::size(kClasses)], "");
  FUZZ_CHECK(config.ok());
  const Result<std::unique_ptr<Tokenizer>> tokenizer = LoadTokenizer(*config);
  if (tokenizer.ok()) {
    FUZZ_CHECK(model.ok());
    CheckTexts(**tokenizer);
  } else {
    CheckModelError(tokenizer.error());
  }
  return 0;
}
