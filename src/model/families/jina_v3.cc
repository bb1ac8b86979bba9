// jina-embeddings-v3 (Sturua et al. 2024): XLM-RoBERTa with rotary positions, and an adapter for
// each task. Its config has two forms: that of the repository, written for code of its own, which
// says model_type "xlm-roberta"; and transformers', which has no adapters.
#include <string>
#include <vector>

#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rope.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Status ReadAdapters(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const std::vector<std::string> tasks,
                   config.Strings("lora_adaptations", std::vector<std::string>()));
  ASSIGN_OR_RETURN(const bool loads, config.Bool("load_trained_adapters", true));
  if (tasks.empty() || !loads) return {};
  constexpr size_t kMostTasks = 1000;
  if (tasks.size() > kMostTasks) return config.Fail("has too many lora_adaptations");
  Adapters adapters = {.count = tasks.size()};
  ASSIGN_OR_RETURN(adapters.rank, ReadSize(config, "lora_rank", kMaxWidth, 4));
  ASSIGN_OR_RETURN(adapters.scale, ReadAdapterScale(config, adapters.rank, 1));
  encoder.adapters = adapters;
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  ASSIGN_OR_RETURN(encoder.max_tokens, ReadTokens(config, "max_position_embeddings", 8194));
  ASSIGN_OR_RETURN(encoder.token_types, ReadCount(config, "type_vocab_size", kMaxWidth, 1));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-5, encoder));
  ASSIGN_OR_RETURN(const Rope rope,
                   ReadRope(config, {.head_dim = encoder.layers[0].attention.head_dim,
                                     .default_theta = 20000,
                                     .theta = "rotary_emb_base"}));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu"));
  for (Layer& layer : encoder.layers) {
    layer.attention.rope = rope;
    layer.feed_forward.activation = activation;
  }
  RETURN_IF_ERROR(ReadAdapters(config, encoder));
  return encoder;
}

}  // namespace

constinit const Family kJinaV3 = {
    .model_types = "jina_embeddings_v3",
    .tokenizer_class = "XLMRobertaTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "roberta",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .token_type_embeddings = "embeddings.token_type_embeddings",
            .embeddings_norm = "emb_ln",
            .layers = "encoder.layers",
            .layer =
                {
                    .query_key_value = "mixer.Wqkv",
                    .attention_output = "mixer.out_proj",
                    .attention_norms = {.output = "norm1"},
                    .intermediate = "mlp.fc1",
                    .output = "mlp.fc2",
                    .feed_forward_norms = {.output = "norm2"},
                },
        },
    .classifier = {ReadTanhClassifier, kRobertaClassifierTensors},
};

}  // namespace embedding
