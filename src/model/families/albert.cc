// ALBERT (Lan et al. 2020): BERT with narrow embeddings, whose layers share their weights in
// groups.
#include <string>
#include <utility>
#include <vector>

#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// Each layer of num_hidden_layers is the inner_group_num layers of its group.
Status ShareLayers(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const size_t groups, ReadSize(config, "num_hidden_groups", kMaxLayers, 1));
  ASSIGN_OR_RETURN(const size_t inner, ReadSize(config, "inner_group_num", kMaxLayers, 1));
  const size_t layers = encoder.layers.size();
  if (groups > layers) {
    return ModelError("{}: num_hidden_groups {} is more than num_hidden_layers {}", config.place(),
                      groups, layers);
  }
  if (layers * inner > static_cast<size_t>(kMaxLayers)) {
    return ModelError("{}: inner_group_num {} is too large for {} layers", config.place(), inner,
                      layers);
  }
  const double layers_of_group = static_cast<double>(layers) / static_cast<double>(groups);
  std::vector<Layer> all;
  for (size_t i = 0; i < layers; ++i) {
    const auto group = static_cast<size_t>(static_cast<double>(i) / layers_of_group);
    for (size_t k = 0; k < inner; ++k) {
      all.push_back(encoder.layers[i]);
      all.back().weights = group * inner + k;
    }
  }
  encoder.layers = std::move(all);
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectName(config, "position_embedding_type", "absolute"));
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  ASSIGN_OR_RETURN(encoder.embedding_size, ReadSize(config, "embedding_size", kMaxWidth, 128));
  if (encoder.embedding_size == encoder.hidden_size) {
    // They are projected all the same, which the data does not say.
    return ModelError("{}: embedding_size {} is not supported with the same hidden_size",
                      config.place(), encoder.embedding_size);
  }
  ASSIGN_OR_RETURN(encoder.token_types, ReadSize(config, "type_vocab_size", kMaxWidth, 2));
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-12, encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu_new"));
  for (Layer& layer : encoder.layers) layer.feed_forward.activation = activation;
  RETURN_IF_ERROR(ShareLayers(config, encoder));
  return encoder;
}

}  // namespace

constinit const Family kAlbert = {
    .model_types = "albert",
    .tokenizer_class = "AlbertTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "albert",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .position_embeddings = "embeddings.position_embeddings",
            .token_type_embeddings = "embeddings.token_type_embeddings",
            .embeddings_norm = "embeddings.LayerNorm",
            .projection = "encoder.embedding_hidden_mapping_in",
            .layers = "encoder.albert_layer_groups",
            .inner_layers = "albert_layers",
            .layer =
                {
                    .query = "attention.query",
                    .key = "attention.key",
                    .value = "attention.value",
                    .attention_output = "attention.dense",
                    .attention_norms = {.output = "attention.LayerNorm"},
                    .intermediate = "ffn",
                    .output = "ffn_output",
                    .feed_forward_norms = {.output = "full_layer_layer_norm"},
                },
        },
    .classifier = {ReadTanhClassifier,
                   {.dense = "pooler", .dense_is_encoders = true, .output = "classifier"}},
};

}  // namespace embedding
