// The families of models: what a config.json's model_type stands for. A row each, in a file of
// model/families/; no backend knows their names.
//
// To add one: its file, its row in families/rows.h and families.cc. The row says how its config is
// read into the architecture's data and what its tensors are called; what its layers do that no
// other's do is a field of model/architecture.h, which the backends interpret.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/json_value.h"
#include "base/result.h"
#include "model/architecture.h"
#include "model/tensor_names.h"

namespace embedding {

// A *ForSequenceClassification.
struct ClassifierForm {
  // All but the number of labels.
  Result<Classifier> (*read)(const JsonValue& config) = nullptr;
  ClassifierTensorNames tensors = {};
};

// A *ForMaskedLM.
struct MaskedLanguageForm {
  // What the head is made of; what SPLADE makes of its logits is left as it is.
  Result<Splade> (*read)(const JsonValue& config) = nullptr;
  MaskedLanguageTensorNames tensors = {};
};

// A Linear without a bias over each token's last hidden state, at the end of the model.
struct TokenProjectionForm {
  Result<size_t> (*read)(const JsonValue& config) = nullptr;  // how many numbers it gives
  std::string_view tensor = {};                               // below the encoder's prefix
};

struct Family {
  // As config.json has it, in all its forms divided by '|': transformers' name first.
  std::string_view model_types;
  // Of the tokenizer, where the model's files name none: what transformers' AutoTokenizer has for
  // the type, if anything. "TokenizersBackend" counts before what they name.
  std::string_view tokenizer_class = {};
  // Reads and checks the encoder's fields, with the defaults of transformers' class, in every form
  // that repositories have. Refuses what the data cannot say, naming the field and its value.
  Result<Encoder> (*read_encoder)(const JsonValue& config);
  // What a checkpoint with a head on top has before its encoder's names, without the '.'.
  std::string_view prefixes;
  EncoderTensorNames tensors;
  // None: such models of the family are not supported.
  ClassifierForm classifier = {};
  MaskedLanguageForm masked_language = {};
  // Of a *ForTokenClassification with one label, whose positive logits are the tokens' weights: the
  // Linear's name.
  std::string_view token_weights = {};
  // Of a *ForCausalLM: the Linear's name that gives the logits of tokens, without a bias. The table
  // of word embeddings is in its place where a file has none of its own.
  std::string_view language_model = {};
  TokenProjectionForm token_projection = {};
  // Whether each of the config's task_names has an adapter in a folder of its own
  // (task_adapters.h).
  bool has_task_adapters = false;

  // transformers' name.
  std::string_view name() const { return model_types.substr(0, model_types.find('|')); }
};

std::span<const Family* const> Families();

// "bert, roberta, ...": every name of every family, for errors.
std::string FamilyNames();

}  // namespace embedding
