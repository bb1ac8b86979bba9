// ELECTRA (Clark et al. 2020), the discriminator: BERT whose embeddings may be narrower than its
// layers.
#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadBertEncoder(config));
  ASSIGN_OR_RETURN(encoder.embedding_size, ReadSize(config, "embedding_size", kMaxWidth, 128));
  return encoder;
}

Result<Classifier> ReadClassifier(const JsonValue& /*config*/) {
  return Classifier{.dense = Activation::kGelu};
}

constexpr EncoderTensorNames Tensors() {
  EncoderTensorNames names = kBertTensors;
  names.projection = "embeddings_project";
  return names;
}

}  // namespace

constinit const Family kElectra = {
    .model_types = "electra",
    .tokenizer_class = "BertTokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "electra",
    .tensors = Tensors(),
    .classifier = {ReadClassifier, {.dense = "classifier.dense", .output = "classifier.out_proj"}},
};

}  // namespace embedding
