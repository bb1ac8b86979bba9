// The families of models: what a config.json's model_type stands for. A row each.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace embedding {

// The names of an encoder's tensors, without ".weight" and ".bias", below a prefix: none in a bare
// encoder's file, the model's name where the checkpoint has a head on top.
struct EncoderTensorNames {
  std::string_view word_embeddings;
  std::string_view position_embeddings;
  std::string_view token_type_embeddings;
  std::string_view embeddings_norm;
  std::string_view layers;  // "encoder.layer": the others are below "encoder.layer.<number>"
  std::string_view query;
  std::string_view key;
  std::string_view value;
  std::string_view attention_output;
  std::string_view attention_norm;
  std::string_view intermediate;
  std::string_view output;
  std::string_view output_norm;
};

struct ClassifierTensorNames {
  std::string_view dense;
  std::string_view output;
};

struct Family {
  std::string_view model_type;
  // Of the tokenizer, where the model's files name none.
  std::string_view tokenizer_class;
  int64_t pad_token_id;  // where config.json has none
  // Whether positions are counted from the padding token's id on, without the padding, or else from
  // 0.
  bool positions_follow_padding;
  const EncoderTensorNames* encoder;
  ClassifierTensorNames classifier;
};

std::span<const Family> Families();

}  // namespace embedding
