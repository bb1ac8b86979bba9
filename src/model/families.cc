#include "model/families.h"

namespace embedding {
namespace {

constexpr EncoderTensorNames kBert = {
    .word_embeddings = "embeddings.word_embeddings",
    .position_embeddings = "embeddings.position_embeddings",
    .token_type_embeddings = "embeddings.token_type_embeddings",
    .embeddings_norm = "embeddings.LayerNorm",
    .layers = "encoder.layer",
    .query = "attention.self.query",
    .key = "attention.self.key",
    .value = "attention.self.value",
    .attention_output = "attention.output.dense",
    .attention_norm = "attention.output.LayerNorm",
    .intermediate = "intermediate.dense",
    .output = "output.dense",
    .output_norm = "output.LayerNorm",
};

constexpr ClassifierTensorNames kBertClassifier = {"bert.pooler.dense", "classifier"};
constexpr ClassifierTensorNames kRobertaClassifier = {"classifier.dense", "classifier.out_proj"};

constexpr Family kFamilies[] = {
    {"bert", "BertTokenizer", 0, false, &kBert, kBertClassifier},
    {"roberta", "RobertaTokenizer", 1, true, &kBert, kRobertaClassifier},
    {"xlm-roberta", "XLMRobertaTokenizer", 1, true, &kBert, kRobertaClassifier},
};

}  // namespace

std::span<const Family> Families() { return kFamilies; }

}  // namespace embedding
