// The encoder of T5 (Raffel et al. 2020): pre-norm by RMSNorm, no biases, no positions but a bias
// of scores by distance. mT5 (Xue et al. 2021) is one of the later form with another vocabulary.
#include <string>
#include <string_view>

#include "model/families/config_fields.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// "relu", "gated-gelu": the gate, and the activation; both may stand in fields of their own too,
// which then count.
Status ReadFeedForward(const JsonValue& config, const std::string& fallback, Encoder& encoder) {
  constexpr std::string_view kGated = "gated-";
  constexpr std::string_view kBoth = "feed_forward_proj";
  constexpr std::string_view kActivation = "dense_act_fn";
  ASSIGN_OR_RETURN(const std::string value, config.String(kBoth, fallback));
  std::string_view name = value;
  const bool is_gated = name.starts_with(kGated);
  if (is_gated) name.remove_prefix(kGated.size());
  // What was released as gated-gelu has the tanh form.
  if (is_gated && name == "gelu") name = "gelu_new";
  ASSIGN_OR_RETURN(const bool gated, config.Bool("is_gated_act", is_gated));
  ASSIGN_OR_RETURN(const std::string act, config.String(kActivation, std::string(name)));
  ASSIGN_OR_RETURN(const Activation activation,
                   ActivationOfName(config, config.Has(kActivation) ? kActivation : kBoth, act));
  for (Layer& layer : encoder.layers) {
    layer.feed_forward.activation = activation;
    layer.feed_forward.gated = gated;
    layer.feed_forward.intermediate_bias = false;
    layer.feed_forward.output_bias = false;
  }
  return {};
}

// `feed_forward`: what feed_forward_proj is where a config does not say.
Result<Encoder> ReadEncoder(const JsonValue& config, const std::string& feed_forward) {
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config, {.hidden_size = "d_model",
                                                       .layers = "num_layers",
                                                       .heads = "num_heads",
                                                       .head_dim = "d_kv",
                                                       .width = "d_ff"}));
  Norm norm{.kind = NormKind::kRms};
  ASSIGN_OR_RETURN(norm.eps, ReadEpsilon(config, "layer_norm_epsilon", 1e-6));
  encoder.final_norm = norm;
  RETURN_IF_ERROR(ReadFeedForward(config, feed_forward, encoder));
  for (Layer& layer : encoder.layers) {
    layer.attention.scale = 1;
    layer.attention.qkv_bias = false;
    layer.attention.output_bias = false;
    layer.attention_norms.input = norm;
    layer.feed_forward_norms.input = norm;
  }
  RelativeBias& bias = encoder.relative_bias.emplace();
  ASSIGN_OR_RETURN(bias.buckets, ReadSize(config, "relative_attention_num_buckets", kMaxWidth, 32));
  ASSIGN_OR_RETURN(bias.max_distance,
                   ReadSize(config, "relative_attention_max_distance", kMaxPositions, 128));
  // Half of them for each direction, half of those for the distances that have their own; the
  // others share by the logarithm of what is beyond.
  if (bias.buckets < 4 || bias.max_distance <= bias.buckets / 4) {
    return ModelError(
        "{}: relative_attention_num_buckets {} with relative_attention_max_distance {} is not "
        "supported: at least 4, and more than a quarter of it, are",
        config.place(), bias.buckets, bias.max_distance);
  }
  encoder.max_tokens = kUnlimitedTokens;
  return encoder;
}

constexpr Family T5(std::string_view model_type,
                    Result<Encoder> (*read_encoder)(const JsonValue&)) {
  return {
      .model_types = model_type,
      .tokenizer_class = "T5Tokenizer",
      .read_encoder = read_encoder,
      .prefixes = "transformer",
      .tensors =
          {
              .word_embeddings = "shared|encoder.embed_tokens",
              .layers = "encoder.block",
              .layer =
                  {
                      .query = "layer.0.SelfAttention.q",
                      .key = "layer.0.SelfAttention.k",
                      .value = "layer.0.SelfAttention.v",
                      .attention_output = "layer.0.SelfAttention.o",
                      .attention_norms = {.input = "layer.0.layer_norm"},
                      .gate = "layer.1.DenseReluDense.wi_0",
                      .intermediate = "layer.1.DenseReluDense.wi|layer.1.DenseReluDense.wi_1",
                      .output = "layer.1.DenseReluDense.wo",
                      .feed_forward_norms = {.input = "layer.1.layer_norm"},
                  },
              .final_norm = "encoder.final_layer_norm",
              .relative_bias = "encoder.block.0.layer.0.SelfAttention.relative_attention_bias",
          },
  };
}

}  // namespace

constinit const Family kT5 =
    T5("t5", [](const JsonValue& config) { return ReadEncoder(config, "relu"); });
constinit const Family kMt5 =
    T5("mt5", [](const JsonValue& config) { return ReadEncoder(config, "gated-gelu"); });

}  // namespace embedding
