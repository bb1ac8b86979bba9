// What BERT's family hands on to those that are nearly it.
#pragma once

#include "model/families.h"

namespace embedding {

inline constexpr LayerTensorNames kBertLayerTensors = {
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .attention_output = "attention.output.dense",
    .attention_norms = {.output = "attention.output.LayerNorm"},
    .intermediate = "intermediate.dense",
    .output = "output.dense",
    .feed_forward_norms = {.output = "output.LayerNorm"},
};

inline constexpr EncoderTensorNames kBertTensors = {
    .word_embeddings = "embeddings.word_embeddings",
    .position_embeddings = "embeddings.position_embeddings",
    .token_type_embeddings = "embeddings.token_type_embeddings",
    .embeddings_norm = "embeddings.LayerNorm",
    .layers = "encoder.layer",
    .layer = kBertLayerTensors,
};

// LayerNorm after each half, by layer_norm_eps, and of the embeddings.
Status ReadPostNorms(const JsonValue& config, std::string_view eps, double fallback,
                     Encoder& encoder);

// Positions that are counted from the padding token's id on, without the padding.
Status CountFromPadding(const JsonValue& config, int64_t padding_fallback, Encoder& encoder);

// BERT's, with positions from 0.
Result<Encoder> ReadBertEncoder(const JsonValue& config);

// A dense layer with an activation before the logits.
Result<Classifier> ReadTanhClassifier(const JsonValue& config);

}  // namespace embedding
