#include "model/tokenizer_classes.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "model/class_parts.h"

namespace embedding {
namespace {

constexpr std::array<std::string_view, 7> kBertTokens = {"",      "",      "[UNK]", "[SEP]",
                                                         "[PAD]", "[CLS]", "[MASK]"};
constexpr std::array<std::string_view, 7> kMpnetTokens = {"<s>",   "</s>", "[UNK]", "</s>",
                                                          "<pad>", "<s>",  "<mask>"};
constexpr std::array<std::string_view, 7> kRobertaTokens = {"<s>",   "</s>", "<unk>", "</s>",
                                                            "<pad>", "<s>",  "<mask>"};
constexpr std::array<std::string_view, 7> kAlbertTokens = {"[CLS]", "[SEP]", "<unk>", "[SEP]",
                                                           "<pad>", "[CLS]", "[MASK]"};
constexpr std::array<std::string_view, 7> kDebertaTokens = {"[CLS]", "[SEP]", "[UNK]", "[SEP]",
                                                            "[PAD]", "[CLS]", "[MASK]"};
constexpr std::array<std::string_view, 7> kT5Tokens = {"", "</s>", "<unk>", "", "<pad>", "", ""};
constexpr std::array<std::string_view, 7> kLlamaTokens = {"<s>", "</s>", "<unk>", "", "", "", ""};
constexpr std::array<std::string_view, 7> kGemmaTokens = {"<bos>", "<eos>", "<unk>", "",
                                                          "<pad>", "",      "<mask>"};
constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr std::array<std::string_view, 7> kGpt2Tokens = {kEndOfText, kEndOfText, kEndOfText, "",
                                                         "",         "",         ""};
constexpr std::array<std::string_view, 7> kQwen2Tokens = {"",         kEndOfText, kEndOfText, "",
                                                          kEndOfText, "",         ""};

constexpr TokenizerClass kPlain = {
    .name = "TokenizersBackend", .model = "", .vocabulary_file = "tokenizer.model"};

constexpr TokenizerClass kClasses[] = {
    {.name = "BertTokenizer",
     .model = "WordPiece",
     .vocabulary_file = "vocab.txt",
     .tokens = kBertTokens,
     .has_token_types = true,
     .surroundings = Surroundings::kBert,
     .make_parts = MakeBertParts},
    {.name = "DistilBertTokenizer",
     .model = "WordPiece",
     .vocabulary_file = "vocab.txt",
     .tokens = kBertTokens,
     .surroundings = Surroundings::kBert,
     .make_parts = MakeBertParts},
    {.name = "MPNetTokenizer",
     .model = "WordPiece",
     .vocabulary_file = "vocab.txt",
     .tokens = kMpnetTokens,
     .mask_strips_left = true,
     .surroundings = Surroundings::kRoberta,
     .make_parts = MakeBertParts},
    {.name = "RobertaTokenizer",
     .model = "BPE",
     .vocabulary_file = "vocab.json",
     .merges_file = "merges.txt",
     .tokens = kRobertaTokens,
     .surroundings = Surroundings::kRoberta,
     .make_parts = MakeRobertaParts},
    {.name = "GPT2Tokenizer",
     .model = "BPE",
     .vocabulary_file = "vocab.json",
     .merges_file = "merges.txt",
     .tokens = kGpt2Tokens,
     .make_parts = MakeRobertaParts},
    {.name = "Qwen2Tokenizer",
     .model = "BPE",
     .vocabulary_file = "vocab.json",
     .merges_file = "merges.txt",
     .tokens = kQwen2Tokens,
     .resets_special_tokens = true,
     .make_parts = MakeQwen2Parts},
    {.name = "XLMRobertaTokenizer",
     .model = "Unigram",
     .vocabulary_file = "sentencepiece.bpe.model",
     .tokens = kRobertaTokens,
     .surroundings = Surroundings::kXlmRoberta,
     .keeps_documents_steps = true,
     .make_parts = MakeXlmRobertaParts,
     .arrange_pieces = ArrangeXlmRobertaPieces},
    {.name = "CamembertTokenizer",
     .model = "Unigram",
     .vocabulary_file = "sentencepiece.bpe.model",
     .tokens = kRobertaTokens,
     .mask_strips_left = true,
     .surroundings = Surroundings::kXlmRoberta,
     .make_parts = MakeCamembertParts,
     .arrange_pieces = ArrangeCamembertPieces,
     .add_own_tokens = AddCamembertTokens},
    {.name = "AlbertTokenizer",
     .model = "Unigram",
     .vocabulary_file = "spiece.model",
     .tokens = kAlbertTokens,
     .surroundings = Surroundings::kBertUnlessDocuments,
     .make_parts = MakeAlbertParts},
    {.name = "T5Tokenizer",
     .model = "Unigram",
     .vocabulary_file = "spiece.model",
     .tokens = kT5Tokens,
     .surroundings = Surroundings::kT5,
     .make_parts = MakeT5Parts,
     .arrange_pieces = ArrangeT5Pieces,
     .add_own_tokens = AddT5Tokens},
    {.name = "DebertaV2Tokenizer",
     .model = "Unigram",
     .vocabulary_file = "spm.model",
     .tokens = kDebertaTokens,
     .has_token_types = true,
     .surroundings = Surroundings::kBert,
     .make_parts = MakeDebertaV2Parts},
    {.name = "LlamaTokenizer",
     .model = "BPE",
     .vocabulary_file = "tokenizer.model",
     .tokens = kLlamaTokens,
     .make_parts = MakeLlamaParts},
    {.name = "GemmaTokenizer",
     .model = "BPE",
     .vocabulary_file = "tokenizer.model",
     .tokens = kGemmaTokens,
     .make_parts = MakeGemmaParts},
    // No more than its token types is known of it here: it takes the document as it is.
    {.name = "DebertaTokenizer", .model = "", .vocabulary_file = "", .has_token_types = true},
};

// Classes by other names.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"ElectraTokenizer", "BertTokenizer"},
    {"ConvBertTokenizer", "BertTokenizer"},
    {"MobileBertTokenizer", "BertTokenizer"},
    {"LayoutLMTokenizer", "BertTokenizer"},
    {"SqueezeBertTokenizer", "BertTokenizer"},
    {"LxmertTokenizer", "BertTokenizer"},
    {"DPRQuestionEncoderTokenizer", "BertTokenizer"},
    {"DPRContextEncoderTokenizer", "BertTokenizer"},
    {"BartTokenizer", "RobertaTokenizer"},
    {"LongformerTokenizer", "RobertaTokenizer"},
};

// Model types whose repositories are known to name a wrong class: theirs is the family's.
constexpr std::string_view kMisnamed[] = {"qwen2"};

// "BertTokenizerFast" -> "BertTokenizer": the classes of two names have been one since transformers
// 5.
std::string_view WithoutFast(std::string_view name) {
  constexpr std::string_view kFast = "Fast";
  if (name.ends_with(kFast)) name.remove_suffix(kFast.size());
  return name;
}

const TokenizerClass& ClassNamed(std::string_view name) {
  for (const auto& [alias, of] : kAliases) {
    if (alias == name) name = of;
  }
  for (const TokenizerClass& row : kClasses) {
    if (row.name == name) return row;
  }
  return kPlain;
}

}  // namespace

const TokenizerClass& PlainTokenizerClass() { return kPlain; }

bool IsKnownTokenizerClass(std::string_view named) {
  named = WithoutFast(named);
  const bool is_plain = named.empty() || named == kPlain.name || named == "PreTrainedTokenizer";
  return is_plain || &ClassNamed(named) != &kPlain;
}

const TokenizerClass& TokenizerClassOf(std::string_view model_type, std::string_view named,
                                       std::string_view default_class) {
  named = WithoutFast(named);
  const bool is_misnamed =
      std::find(std::begin(kMisnamed), std::end(kMisnamed), model_type) != std::end(kMisnamed);
  const TokenizerClass& of_family = ClassNamed(WithoutFast(default_class));
  // A family without a class of its own takes no other either.
  const bool is_plain = !default_class.empty() && &of_family == &kPlain;
  return named.empty() || is_misnamed || is_plain ? of_family : ClassNamed(named);
}

}  // namespace embedding
