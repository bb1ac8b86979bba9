// Gemma 3 (2025), the text model, and EmbeddingGemma, which is it with attention both ways: norms
// before and after each half, which multiply by 1 + weight; most layers see a window of the text.
#include <cfloat>
#include <cmath>
#include <string>
#include <vector>

#include "model/families/config_fields.h"
#include "model/families/llama.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Status ExpectNull(const JsonValue& config, std::string_view name) {
  const auto value = config.Find(name);
  if (!value) return {};
  return ModelError("{}: {} {} is not supported; supported is null", config.place(), name,
                    value->Shown());
}

// Of every few layers the last sees the whole text, unless layer_types says it.
Result<std::vector<bool>> ReadWindowed(const JsonValue& config, size_t layers) {
  ASSIGN_OR_RETURN(std::vector<bool> windowed, ReadWindowedLayers(config, layers));
  ASSIGN_OR_RETURN(const size_t pattern, ReadSize(config, "sliding_window_pattern", kMaxLayers, 6));
  for (size_t i = windowed.size(); i < layers; ++i) windowed.push_back((i + 1) % pattern != 0);
  return windowed;
}

Status ReadAttention(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const bool both_ways, config.Bool("use_bidirectional_attention", false));
  if (!both_ways) RETURN_IF_ERROR(ExpectFlag(config, "is_causal", true));
  ASSIGN_OR_RETURN(const bool bias, config.Bool("attention_bias", false));
  ASSIGN_OR_RETURN(const double scalar, config.Number("query_pre_attn_scalar", 256));
  if (!(scalar >= FLT_MIN && scalar <= FLT_MAX)) {
    return config.Wrong("query_pre_attn_scalar", "a number of float32 above 0");
  }
  ASSIGN_OR_RETURN(const size_t window, ReadSize(config, "sliding_window", kMaxPositions, 4096));
  ASSIGN_OR_RETURN(const std::vector<bool> windowed, ReadWindowed(config, encoder.layers.size()));
  const size_t head_dim = encoder.layers[0].attention.head_dim;
  ASSIGN_OR_RETURN(const Rope full, ReadRope(config, {.head_dim = head_dim,
                                                      .default_theta = 1e6,
                                                      .layer_type = "full_attention"}));
  ASSIGN_OR_RETURN(const Rope local, ReadRope(config, {.head_dim = head_dim,
                                                       .theta = "rope_local_base_freq",
                                                       .layer_type = "sliding_attention",
                                                       .of_type_alone = true}));
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    Attention& attention = encoder.layers[i].attention;
    attention.qkv_bias = bias;
    attention.output_bias = bias;
    attention.scale = static_cast<float>(1 / std::sqrt(scalar));
    attention.causal = !both_ways;
    attention.rope = windowed[i] ? local : full;
    attention.query_norm = encoder.final_norm;
    attention.key_norm = encoder.final_norm;
    if (windowed[i]) attention.window = both_ways ? window / 2 : window - 1;
  }
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  for (const char* field : {"attn_logit_softcapping", "final_logit_softcapping"}) {
    RETURN_IF_ERROR(ExpectNull(config, field));
  }
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaSizes(config, {.kv_heads = 4,
                                                            .head_dim = 256,
                                                            .max_tokens = 131072,
                                                            .activation = "gelu_pytorch_tanh"}));
  encoder.embedding_scale = std::sqrt(static_cast<float>(encoder.hidden_size));
  Norm& norm = *encoder.final_norm;
  norm.plus_one = true;
  for (Layer& layer : encoder.layers) {
    layer.attention_norms = {.input = norm, .branch = norm, .output = {}};
    layer.feed_forward_norms = {.input = norm, .branch = norm, .output = {}};
  }
  RETURN_IF_ERROR(ReadAttention(config, encoder));
  return encoder;
}

}  // namespace

constinit const Family kGemma3 = {
    .model_types = "gemma3_text",
    .tokenizer_class = "GemmaTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors =
        {
            .word_embeddings = "embed_tokens",
            .layers = "layers",
            .layer = kGemmaLayerTensors,
            .final_norm = "norm",
        },
    .classifier = kScoreClassifier,
    .language_model = "lm_head",
};

}  // namespace embedding
