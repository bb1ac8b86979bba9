// ModelSpec: what the JSON files of a model directory say about the model, checked and in one
// place.
//
// Read from config.json, config_sentence_transformers.json, modules.json and the modules' own
// config.json (1_Pooling, 2_Dense, ...), sentence_bert_config.json, tokenizer_config.json. The
// names are those of the files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace embedding {

enum class ModelFamily { kBert, kRoberta, kXlmRoberta };

// config.json of an encoder.
struct EncoderConfig {
  ModelFamily family = ModelFamily::kBert;
  std::vector<std::string> architectures;
  size_t hidden_size = 0;
  size_t num_hidden_layers = 0;
  size_t num_attention_heads = 0;
  size_t intermediate_size = 0;
  size_t vocab_size = 0;
  size_t max_position_embeddings = 0;
  size_t type_vocab_size = 0;
  float layer_norm_eps = 0;
  int32_t pad_token_id = 0;
  // Of a *ForSequenceClassification, by the number of its logit; empty for every other model.
  std::vector<std::string> labels;

  size_t head_dim() const { return hidden_size / num_attention_heads; }
  // Position of a text's first token: 0 for BERT, pad_token_id + 1 for (XLM-)RoBERTa.
  size_t position_offset() const {
    return family == ModelFamily::kBert ? 0 : static_cast<size_t>(pad_token_id) + 1;
  }
};

enum class Pooling { kCls, kMean, kMax, kMeanSqrtLenTokens, kWeightedMean, kLastToken };

enum class Activation { kIdentity, kTanh, kRelu, kGelu, kSigmoid };

// A `sentence_transformers.models.Dense` module: activation(W x + b), weights in `directory`.
struct DenseModuleConfig {
  std::string directory;
  size_t in_features = 0;
  size_t out_features = 0;
  bool bias = true;
  Activation activation = Activation::kTanh;
};

struct ModelSpec {
  std::string directory;
  EncoderConfig encoder;
  // The pooled vectors of several modes are concatenated in this order. Never empty.
  std::vector<Pooling> pooling;
  // Whether the tokens of a prompt are pooled too (1_Pooling's include_prompt).
  bool pools_prompt = true;
  std::vector<DenseModuleConfig> dense;
  // Whether the model itself ends with a Normalize module. (A request's `normalize` decides.)
  bool normalize = false;
  // Longest input in tokens, special tokens included.
  size_t max_seq_length = 0;

  // config_sentence_transformers.json: texts to put before a text, by name, and which of them is
  // meant where none is named.
  std::map<std::string, std::string> prompts;
  std::optional<std::string> default_prompt_name;

  // Whether the model's masked-language head gives sparse vectors, as SPLADE does: a
  // BertForMaskedLM whose modules.json has a SpladePooling, or that has no modules.json.
  bool is_splade = false;

  bool is_classifier() const { return !encoder.labels.empty(); }
  // Components of the final vector.
  size_t dimension() const;
};

// Reads and checks the files of `directory`, and takes what they leave out as sentence-transformers
// does:
//   - without modules.json: mean pooling, no Dense, no Normalize;
//   - max_seq_length: that of sentence_bert_config.json, else the tokenizer's model_max_length, but
//     never more than the model has positions for tokens;
//   - a Pooling without any mode: mean.
//
// Errors: kModelLoad, naming file and field, for a missing or malformed file; a number that is
// absurd or not one; an unknown model_type, activation, module type or pooling mode; modules other
// than Transformer, Pooling, Dense (any number), Normalize (optional), in this order, or
// MLMTransformer, SpladePooling; and values
// that contradict one another (hidden_size not a multiple of the heads, a pooling width other than
// hidden_size, Dense widths that do not chain, max_seq_length beyond the positions). Whether the
// weights have these sizes shows when they are loaded.
Result<ModelSpec> ReadModelSpec(const std::string& directory);

}  // namespace embedding
