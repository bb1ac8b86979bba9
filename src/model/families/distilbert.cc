// DistilBERT (Sanh et al. 2019): BERT without token types, with sizes by other names.
#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

// Of every LayerNorm; no field says it.
constexpr float kEps = 1e-12F;

Result<Encoder> ReadEncoder(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config, {.hidden_size = "dim|hidden_size",
                                                       .layers = "n_layers|num_hidden_layers",
                                                       .heads = "n_heads|num_attention_heads",
                                                       .width = "hidden_dim"}));
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "activation", "gelu"));
  SetPostNorms(Norm{.eps = kEps}, encoder);
  for (Layer& layer : encoder.layers) layer.feed_forward.activation = activation;
  return encoder;
}

Result<Classifier> ReadClassifier(const JsonValue& /*config*/) {
  return Classifier{.dense = Activation::kRelu};
}

Result<Splade> ReadMaskedLanguage(const JsonValue& config) {
  Splade head{.norm = {.eps = kEps}};
  ASSIGN_OR_RETURN(head.activation, ReadActivation(config, "activation", "gelu"));
  return head;
}

}  // namespace

constinit const Family kDistilBert = {
    .model_types = "distilbert",
    .tokenizer_class = "BertTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "distilbert",
    .tensors =
        {
            .word_embeddings = "embeddings.word_embeddings",
            .position_embeddings = "embeddings.position_embeddings",
            .embeddings_norm = "embeddings.LayerNorm",
            .layers = "transformer.layer",
            .layer =
                {
                    .query = "attention.q_lin",
                    .key = "attention.k_lin",
                    .value = "attention.v_lin",
                    .attention_output = "attention.out_lin",
                    .attention_norms = {.output = "sa_layer_norm"},
                    .intermediate = "ffn.lin1",
                    .output = "ffn.lin2",
                    .feed_forward_norms = {.output = "output_layer_norm"},
                },
        },
    .classifier = {ReadClassifier, {.dense = "pre_classifier", .output = "classifier"}},
    .masked_language = {ReadMaskedLanguage,
                        {.transform = "vocab_transform",
                         .norm = "vocab_layer_norm",
                         .decoder = "vocab_projector"}},
};

}  // namespace embedding
