// config.json: what kind of encoder a model is.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "model/architecture.h"
#include "model/families.h"

namespace embedding {

struct ConfigJson {
  std::string model_type;
  const Family* family = nullptr;
  std::vector<std::string> architectures;
  std::string tokenizer_class;  // empty if it has none
  Encoder encoder;
  std::vector<size_t> matryoshka_dimensions;
  std::optional<size_t> token_projection;  // Family::token_projection
  // Names of Encoder::adapters by their numbers; a prompt's has that one.
  std::vector<std::string> adapters;
  // Of a *ForSequenceClassification, by the number of its logit; empty for every other model.
  std::vector<std::string> labels;
  std::optional<Classifier> classifier;   // of such a one, where its family has them
  std::optional<Splade> masked_language;  // of a *ForMaskedLM, likewise: MaskedLanguageForm::read
  std::optional<TokenWeights> token_weights;  // Family::token_weights
};

// Reads and checks `path`. Errors: kModelLoad, naming the file and the field.
Result<ConfigJson> ReadConfigJson(const std::string& path);

}  // namespace embedding
