// MPNet (Song et al. 2020): RoBERTa with a bias of scores by distance, without token types.
#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// Whatever the config says: it sizes the table alone.
constexpr size_t kBuckets = 32;
constexpr size_t kMaxDistance = 128;
// Likewise, of the padding token.
constexpr int32_t kPaddingId = 1;

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-12, encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu"));
  for (Layer& layer : encoder.layers) layer.feed_forward.activation = activation;
  encoder.positions.first = kPaddingId + 1;
  encoder.positions.uncounted_id = kPaddingId;
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  ASSIGN_OR_RETURN(const size_t buckets,
                   ReadSize(config, "relative_attention_num_buckets", kMaxWidth, kBuckets));
  if (buckets != kBuckets) {
    return ModelError("{}: relative_attention_num_buckets {} is not supported; supported is {}",
                      config.place(), buckets, kBuckets);
  }
  encoder.relative_bias = RelativeBias{kBuckets, kMaxDistance};
  return encoder;
}

}  // namespace

constinit const Family kMpnet = {
    .model_types = "mpnet",
    .tokenizer_class = "MPNetTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "mpnet",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .position_embeddings = "embeddings.position_embeddings",
            .embeddings_norm = "embeddings.LayerNorm",
            .layers = "encoder.layer",
            .layer =
                {
                    .query = "attention.attn.q",
                    .key = "attention.attn.k",
                    .value = "attention.attn.v",
                    .attention_output = "attention.attn.o",
                    .attention_norms = {.output = "attention.LayerNorm"},
                    .intermediate = "intermediate.dense",
                    .output = "output.dense",
                    .feed_forward_norms = {.output = "output.LayerNorm"},
                },
            .relative_bias = "encoder.relative_attention_bias",
        },
    .classifier = kRobertaClassifier,
    .masked_language = kRobertaMaskedLanguage,
};

}  // namespace embedding
