// BERT (Devlin et al. 2019) and RoBERTa (Liu et al. 2019), which differs in how positions are
// counted and in its heads; XLM-RoBERTa and CamemBERT are RoBERTas with other vocabularies. ERNIE
// (Sun et al. 2019, 2021) is a BERT whose tokens have an embedding of their task, the first one's.
#include "model/families/bert.h"

#include "model/families/config_fields.h"
#include "model/families/rows.h"

namespace embedding {
namespace {

// All but the positions.
Result<Encoder> ReadCommon(const JsonValue& config) {
  RETURN_IF_ERROR(ExpectName(config, "position_embedding_type", "absolute"));
  RETURN_IF_ERROR(ExpectEncoder(config));
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  // Old files lack these; transformers takes the same values then.
  ASSIGN_OR_RETURN(encoder.token_types, ReadSize(config, "type_vocab_size", kMaxWidth, 2));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-12, encoder));
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu"));
  for (Layer& layer : encoder.layers) layer.feed_forward.activation = activation;
  return encoder;
}

Result<Encoder> ReadRobertaEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadCommon(config));
  RETURN_IF_ERROR(CountFromPadding(config, 1, encoder));
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  return encoder;
}

// The head's norm and activation are those of the layers.
Result<Splade> ReadBertMaskedLanguage(const JsonValue& config) {
  Splade head;
  ASSIGN_OR_RETURN(head.norm.eps, ReadEpsilon(config, "layer_norm_eps", 1e-12));
  ASSIGN_OR_RETURN(head.activation, ReadActivation(config, "hidden_act", "gelu"));
  return head;
}

constexpr MaskedLanguageTensorNames kBertMaskedLanguageTensors = {
    .transform = "cls.predictions.transform.dense",
    .norm = "cls.predictions.transform.LayerNorm",
    .decoder = "cls.predictions.decoder",
    .bias = "cls.predictions.bias",
};

constexpr ClassifierForm kBertClassifier = {
    ReadTanhClassifier,
    {.dense = "pooler.dense", .dense_is_encoders = true, .output = "classifier"}};

constexpr Family Roberta(std::string_view model_type, std::string_view tokenizer_class) {
  return {.model_types = model_type,
          .tokenizer_class = tokenizer_class,
          .read_encoder = ReadRobertaEncoder,
          .prefixes = "roberta|bert",
          .tensors = kBertTensors,
          .classifier = kRobertaClassifier,
          .masked_language = kRobertaMaskedLanguage};
}

}  // namespace

void SetPostNorms(const Norm& norm, Encoder& encoder) {
  encoder.embeddings_norm = norm;
  for (Layer& layer : encoder.layers) {
    layer.attention_norms.output = norm;
    layer.feed_forward_norms.output = norm;
  }
}

Status ReadPostNorms(const JsonValue& config, std::string_view eps, double fallback,
                     Encoder& encoder) {
  Norm norm;
  ASSIGN_OR_RETURN(norm.eps, ReadEpsilon(config, eps, fallback));
  SetPostNorms(norm, encoder);
  return {};
}

Status CountFromPadding(const JsonValue& config, int64_t padding_fallback, Encoder& encoder) {
  ASSIGN_OR_RETURN(const int32_t padding,
                   ReadPaddingId(config, encoder.vocab_size, padding_fallback));
  encoder.positions.first = static_cast<size_t>(padding) + 1;
  encoder.positions.uncounted_id = padding;
  return {};
}

Result<Encoder> ReadBertEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadCommon(config));
  RETURN_IF_ERROR(ReadPaddingId(config, encoder.vocab_size, 0));
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  return encoder;
}

Result<Encoder> ReadErnieEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadBertEncoder(config));
  ASSIGN_OR_RETURN(const bool has_task, config.Bool("use_task_id", false));
  if (!has_task) return encoder;
  ASSIGN_OR_RETURN(encoder.task_types, ReadSize(config, "task_type_vocab_size", kMaxWidth, 3));
  return encoder;
}

constexpr EncoderTensorNames ErnieTensors() {
  EncoderTensorNames names = kBertTensors;
  names.task_type_embeddings = "embeddings.task_type_embeddings";
  return names;
}

Result<Classifier> ReadTanhClassifier(const JsonValue& /*config*/) { return Classifier{}; }

// Its activation is that, whatever the layers have.
Result<Splade> ReadRobertaMaskedLanguage(const JsonValue& config) {
  Splade head{.activation = Activation::kGelu};
  ASSIGN_OR_RETURN(head.norm.eps, ReadEpsilon(config, "layer_norm_eps", 1e-12));
  return head;
}

constinit const Family kBert = {
    .model_types = "bert",
    .tokenizer_class = "BertTokenizer",
    .read_encoder = ReadBertEncoder,
    .prefixes = "bert",
    .tensors = kBertTensors,
    .classifier = kBertClassifier,
    .masked_language = {ReadBertMaskedLanguage, kBertMaskedLanguageTensors},
};

constinit const Family kErnie = {
    .model_types = "ernie",
    .tokenizer_class = "BertTokenizer",
    .read_encoder = ReadErnieEncoder,
    .prefixes = "ernie|bert",
    .tensors = ErnieTensors(),
    .classifier = kBertClassifier,
    .masked_language = {ReadBertMaskedLanguage, kBertMaskedLanguageTensors},
};

constinit const Family kRoberta = Roberta("roberta", "RobertaTokenizer");
constinit const Family kXlmRoberta = Roberta("xlm-roberta", "XLMRobertaTokenizer");
constinit const Family kCamembert = Roberta("camembert", "CamembertTokenizer");

}  // namespace embedding
