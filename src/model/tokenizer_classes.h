// The tokenizer classes of transformers 5. A row each.
//
// A class makes the parts of a tokenizer anew out of its arguments (tokenizer_config.json) and a
// vocabulary, be it that of a tokenizer.json or of the files of before it: of the normalizer,
// pre-tokenizer and decoder in tokenizer.json it takes no more than the table of characters. What
// stands here was found by experiment with transformers 5.23
// (tests/data/make_tokenizer_classes.py).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_value.h"
#include "base/json_writer.h"
#include "base/result.h"
#include "model/special_tokens.h"
#include "text/sentencepiece_model.h"
#include "text/vocabulary_files.h"

namespace embedding {

// What a class is made with.
struct ClassArguments {
  const JsonValue& config;  // tokenizer_config.json
  const SpecialTokens& tokens;
  // What the vocabulary was read from, if that was a SentencePiece model.
  const SentencePieceModel* sentencepiece = nullptr;
  // Of a Precompiled normalizer, as a string of JSON; empty for none.
  std::string charsmap = {};
  std::optional<JsonValue> vocabulary = {};  // model.vocab of the document
  // Whether the document is a tokenizer.json, and not made of the files of before it.
  bool has_tokenizer_json = false;
};

// What a class puts around a text and a pair.
enum class Surroundings : uint8_t {
  kDocuments,            // what tokenizer.json says, or what add_bos_token and add_eos_token do
  kBert,                 // [CLS] A [SEP] B [SEP], with the type 1 from B on
  kBertUnlessDocuments,  // the same, where tokenizer.json says nothing
  kRoberta,              // <s> A </s> </s> B </s> of cls_token and sep_token, trimming offsets
  kXlmRoberta,           // the same of bos_token and eos_token
  kT5,                   // A </s> B </s>
};

struct TokenizerClass {
  std::string_view name;
  // The type of tokenizer.json's model, "BPE"; empty for any. A class is for no other.
  std::string_view model;
  // The files that the vocabulary is read from where there is no tokenizer.json.
  std::string_view vocabulary_file;
  std::string_view merges_file = {};
  // The tokens of kTokenNames that no file names; empty for none.
  std::array<std::string_view, kTokenNames.size()> tokens = {};
  // A mask_token that is a text alone takes the white space before it.
  bool mask_strips_left = false;
  // Whether the model is given token types unless model_input_names say it.
  bool has_token_types = false;
  Surroundings surroundings = Surroundings::kDocuments;
  // With a tokenizer.json its steps are the document's, as in transformers 4 and text-embeddings-
  // inference: they differ in white space before a special token, and in what is invisible at the
  // end of a text.
  bool keeps_documents_steps = false;
  // Its special tokens lose their flags (Qwen2Tokenizer adds all of them a second time).
  bool resets_special_tokens = false;
  // The parts of tokenizer.json that it makes, as fields of an object that has been begun; null for
  // a class that takes the document as it is, and makes parts of a SentencePiece model alone.
  Status (*make_parts)(const ClassArguments&, JsonWriter&) = nullptr;
  // The pieces of a SentencePiece model as it numbers them; null for one that leaves them.
  Status (*arrange_pieces)(const ClassArguments&, std::vector<ScoredPiece>&) = nullptr;
  // Its additional_special_tokens, of those that are said; null for one that takes these.
  Status (*add_own_tokens)(const JsonValue& config, TokenList&) = nullptr;
};

// Of a model whose config.json has this model_type and a tokenizer of this class by its files
// ("RobertaTokenizer", "RobertaTokenizerFast", or empty where they name none); `default_class` is
// the family's. An unknown class is the plain one, TokenizersBackend, which takes tokenizer.json as
// it is.
const TokenizerClass& PlainTokenizerClass();
// Whether one of these is of that name; or the name is empty.
bool IsKnownTokenizerClass(std::string_view named);
const TokenizerClass& TokenizerClassOf(std::string_view model_type, std::string_view named,
                                       std::string_view default_class);

}  // namespace embedding
