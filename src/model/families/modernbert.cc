// ModernBERT (Warner et al. 2024): pre-norm, gated, rotary positions; of every few layers one sees
// the whole text, the others a window of it.
#include <string>
#include <vector>

#include "model/families/config_fields.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Result<Norm> ReadNorm(const JsonValue& config) {
  Norm norm;
  ASSIGN_OR_RETURN(norm.eps, ReadEpsilon(config, "norm_eps", 1e-5));
  ASSIGN_OR_RETURN(norm.bias, config.Bool("norm_bias", false));
  return norm;
}

// Of each layer, whether it sees the whole text.
Result<std::vector<bool>> ReadLayerTypes(const JsonValue& config, size_t layers) {
  std::vector<bool> full;
  if (!config.Has("layer_types")) {
    ASSIGN_OR_RETURN(const size_t every,
                     ReadSize(config, "global_attn_every_n_layers", kMaxLayers, 3));
    for (size_t i = 0; i < layers; ++i) full.push_back(i % every == 0);
    return full;
  }
  ASSIGN_OR_RETURN(const std::vector<std::string> types, config.Strings("layer_types"));
  if (types.size() != layers) {
    return ModelError("{}: layer_types has {} types, but there are {} layers", config.place(),
                      types.size(), layers);
  }
  for (const std::string& type : types) {
    full.push_back(type == "full_attention");
    if (full.back() || type == "sliding_attention") continue;
    return ModelError(
        "{}: layer_types has {}, which is not supported; supported are \"full_attention\" and "
        "\"sliding_attention\"",
        config.place(), Quoted(type));
  }
  return full;
}

Status ReadAttention(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const std::vector<bool> full, ReadLayerTypes(config, encoder.layers.size()));
  ASSIGN_OR_RETURN(size_t window, ReadSize(config, "local_attention", kMaxPositions, 128));
  if (config.Has("sliding_window")) {  // its half, which counts
    ASSIGN_OR_RETURN(window, ReadSize(config, "sliding_window", kMaxPositions));
    window *= 2;
  }
  ASSIGN_OR_RETURN(const bool bias, config.Bool("attention_bias", false));
  const size_t head_dim = encoder.layers[0].attention.head_dim;
  ASSIGN_OR_RETURN(const Rope global, ReadRope(config, {.head_dim = head_dim,
                                                        .default_theta = 160000,
                                                        .theta = "global_rope_theta",
                                                        .layer_type = "full_attention"}));
  // Where the local base is null, it is the global one; where it is not said, 10,000.
  const Result<JsonValue> local_theta = config.Field("local_rope_theta");
  const bool is_null = local_theta.ok() && local_theta->is_null();
  ASSIGN_OR_RETURN(const Rope local,
                   ReadRope(config, {.head_dim = head_dim,
                                     .default_theta = is_null ? 160000.0 : 10000.0,
                                     .theta = is_null ? "global_rope_theta" : "local_rope_theta",
                                     .layer_type = "sliding_attention"}));
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    Attention& attention = encoder.layers[i].attention;
    attention.qkv_bias = bias;
    attention.output_bias = bias;
    attention.rope = full[i] ? global : local;
    if (!full[i]) attention.window = window / 2;
  }
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  ASSIGN_OR_RETURN(encoder.max_tokens, ReadTokens(config, "max_position_embeddings", 8192));
  ASSIGN_OR_RETURN(const Norm norm, ReadNorm(config));
  encoder.embeddings_norm = norm;
  encoder.final_norm = norm;
  ASSIGN_OR_RETURN(const Activation activation,
                   ReadActivation(config, "hidden_activation", "gelu"));
  ASSIGN_OR_RETURN(const bool mlp_bias, config.Bool("mlp_bias", false));
  RETURN_IF_ERROR(ReadAttention(config, encoder));
  for (Layer& layer : encoder.layers) {
    // The embeddings are normalised already.
    if (layer.weights > 0) layer.attention_norms.input = norm;
    layer.feed_forward_norms.input = norm;
    layer.feed_forward.activation = activation;
    layer.feed_forward.gated = true;
    layer.feed_forward.intermediate_bias = mlp_bias;
    layer.feed_forward.output_bias = mlp_bias;
  }
  return encoder;
}

Result<Classifier> ReadClassifier(const JsonValue& config) {
  Classifier classifier;
  ASSIGN_OR_RETURN(const std::string pooling, config.String("classifier_pooling", "cls"));
  if (pooling != "cls" && pooling != "mean") {
    return ModelError(
        "{}: classifier_pooling {} is not supported; supported are \"cls\" and \"mean\"",
        config.place(), Quoted(pooling));
  }
  classifier.pooling = pooling == "cls" ? Pooling::kCls : Pooling::kMean;
  ASSIGN_OR_RETURN(classifier.dense, ReadActivation(config, "classifier_activation", "gelu"));
  ASSIGN_OR_RETURN(classifier.dense_bias, config.Bool("classifier_bias", false));
  ASSIGN_OR_RETURN(classifier.norm, ReadNorm(config));
  return classifier;
}

Result<Splade> ReadMaskedLanguage(const JsonValue& config) {
  Splade head;
  ASSIGN_OR_RETURN(head.activation, ReadActivation(config, "classifier_activation", "gelu"));
  ASSIGN_OR_RETURN(head.transform_bias, config.Bool("classifier_bias", false));
  ASSIGN_OR_RETURN(head.norm, ReadNorm(config));
  ASSIGN_OR_RETURN(head.decoder_bias, config.Bool("decoder_bias", true));
  return head;
}

}  // namespace

constinit const Family kModernBert = {
    .model_types = "modernbert",
    .tokenizer_class = "TokenizersBackend",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors =
        {
            .word_embeddings = "embeddings.tok_embeddings",
            .embeddings_norm = "embeddings.norm",
            .layers = "layers",
            .layer =
                {
                    .query_key_value = "attn.Wqkv",
                    .attention_output = "attn.Wo",
                    .attention_norms = {.input = "attn_norm"},
                    .gate_and_intermediate = "mlp.Wi",
                    .output = "mlp.Wo",
                    .feed_forward_norms = {.input = "mlp_norm"},
                },
            .final_norm = "final_norm",
        },
    .classifier = {ReadClassifier,
                   {.dense = "head.dense", .norm = "head.norm", .output = "classifier"}},
    .masked_language = {ReadMaskedLanguage,
                        {.transform = "head.dense", .norm = "head.norm", .decoder = "decoder"}},
};

}  // namespace embedding
