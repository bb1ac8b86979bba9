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

inline constexpr ClassifierTensorNames kRobertaClassifierTensors = {
    .dense = "classifier.dense", .output = "classifier.out_proj"};

// This norm after each half, and of the embeddings.
void SetPostNorms(const Norm& norm, Encoder& encoder);
// LayerNorm, with the epsilon of that field.
Status ReadPostNorms(const JsonValue& config, std::string_view eps, double fallback,
                     Encoder& encoder);

// Positions that are counted from the padding token's id on, without the padding.
Status CountFromPadding(const JsonValue& config, int64_t padding_fallback, Encoder& encoder);

// BERT's, with positions from 0.
Result<Encoder> ReadBertEncoder(const JsonValue& config);

// A dense layer and tanh before the logits.
Result<Classifier> ReadTanhClassifier(const JsonValue& config);

// RoBERTa's heads.
Result<Splade> ReadRobertaMaskedLanguage(const JsonValue& config);

inline constexpr ClassifierForm kRobertaClassifier = {ReadTanhClassifier,
                                                      kRobertaClassifierTensors};
inline constexpr MaskedLanguageForm kRobertaMaskedLanguage = {ReadRobertaMaskedLanguage,
                                                              {.transform = "lm_head.dense",
                                                               .norm = "lm_head.layer_norm",
                                                               .decoder = "lm_head.decoder",
                                                               .bias = "lm_head.bias"}};

}  // namespace embedding
