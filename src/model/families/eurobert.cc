// EuroBERT (Boizard et al. 2025): Llama's layers, every token seeing every other.
#include <string>

#include "model/families/config_fields.h"
#include "model/families/llama.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadLlamaEncoder(config, {.max_tokens = 8192, .eps = 1e-5}));
  RETURN_IF_ERROR(ReadLlamaBiases(config, encoder));
  for (Layer& layer : encoder.layers) layer.attention.causal = false;
  return encoder;
}

Result<Classifier> ReadClassifier(const JsonValue& config) {
  Classifier classifier = {.dense = Activation::kGelu};
  ASSIGN_OR_RETURN(const std::string pooling, config.String("classifier_pooling", "late"));
  if (pooling != "bos" && pooling != "mean" && pooling != "late") {
    return ModelError(
        "{}: classifier_pooling {} is not supported; supported are \"bos\", \"mean\" and \"late\"",
        config.place(), Quoted(pooling));
  }
  classifier.pooling = pooling == "bos" ? Pooling::kCls : Pooling::kMean;
  classifier.pools_late = pooling == "late";
  return classifier;
}

}  // namespace

constinit const Family kEuroBert = {
    .model_types = "eurobert",
    .read_encoder = ReadEncoder,
    .prefixes = "model",
    .tensors = kLlamaTensors,
    .classifier = {ReadClassifier, {.dense = "dense", .output = "classifier"}},
};

}  // namespace embedding
