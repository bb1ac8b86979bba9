// DeBERTa v2 and v3 (He et al. 2021, 2023): BERT with disentangled attention.
#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "model/families/bert.h"
#include "model/families/config_fields.h"
#include "model/families/rows.h"
#include "weights/model_error.h"

namespace embedding {
namespace {

// "p2c|c2p", or an array of the two: one is among them, and no other.
Result<std::vector<std::string>> ReadKinds(const JsonValue& config) {
  constexpr std::string_view kField = "pos_att_type";
  std::vector<std::string> kinds;
  ASSIGN_OR_RETURN(const std::vector<std::string> parts,
                   config.Strings(kField, std::vector<std::string>()));
  for (const std::string& part : parts) {
    for (size_t begin = 0; begin <= part.size();) {
      const size_t end = std::min(part.find('|', begin), part.size());
      kinds.push_back(part.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  for (const std::string& kind : kinds) {
    if (kind == "c2p" || kind == "p2c") continue;
    return ModelError("{}: {} {} is not supported; supported are \"c2p\" and \"p2c\"",
                      config.place(), kField, Quoted(kind));
  }
  return kinds;
}

Status ReadDisentangled(const JsonValue& config, Encoder& encoder) {
  ASSIGN_OR_RETURN(const bool relative, config.Bool("relative_attention", false));
  if (!relative) return {};
  ASSIGN_OR_RETURN(const std::vector<std::string> kinds, ReadKinds(config));
  Disentangled& disentangled = encoder.disentangled.emplace();
  disentangled.content_to_position = std::ranges::count(kinds, "c2p") > 0;
  disentangled.position_to_content = std::ranges::count(kinds, "p2c") > 0;
  const int summands =
      1 + (disentangled.content_to_position ? 1 : 0) + (disentangled.position_to_content ? 1 : 0);
  for (Layer& layer : encoder.layers) {
    layer.attention.scale =
        1 / std::sqrt(static_cast<float>(layer.attention.head_dim) * static_cast<float>(summands));
  }
  if (summands == 1) {
    encoder.disentangled.reset();
    return {};
  }
  ASSIGN_OR_RETURN(const bool shared, config.Bool("share_att_key", false));
  disentangled.own_projections = !shared;
  // Below 1: not given.
  ASSIGN_OR_RETURN(int64_t farthest,
                   config.Integer("max_relative_positions", -kMaxPositions, kMaxPositions, -1));
  if (farthest < 1) {
    ASSIGN_OR_RETURN(farthest, config.Integer("max_position_embeddings", 1, kMaxPositions));
  }
  ASSIGN_OR_RETURN(const int64_t buckets,
                   config.Integer("position_buckets", -kMaxPositions, kMaxPositions, -1));
  disentangled.max_distance = static_cast<size_t>(farthest);
  if (buckets > 0) disentangled.buckets = static_cast<size_t>(buckets);
  disentangled.span = static_cast<size_t>(buckets > 0 ? buckets : farthest);
  // Half of them have a distance of their own, and the logarithm of what is beyond needs some.
  if (buckets > 0 && (buckets < 4 || farthest <= buckets / 2 + 1)) {
    return ModelError(
        "{}: position_buckets {} with max_relative_positions {} is not supported: at least 4, and "
        "more than half of it, are",
        config.place(), buckets, farthest);
  }
  ASSIGN_OR_RETURN(const std::string norm, config.String("norm_rel_ebd", "none"));
  if (norm.find("layer_norm") != std::string::npos) disentangled.norm = encoder.embeddings_norm;
  return {};
}

// DeBERTa v2's convolution, of its largest models.
Status ReadConvolution(const JsonValue& config, Encoder& encoder) {
  constexpr int64_t kMaxKernel = 255;
  ASSIGN_OR_RETURN(const int64_t kernel, config.Integer("conv_kernel_size", 0, kMaxKernel, 0));
  if (kernel == 0) return {};
  // With an even one torch gives a token less than the layer beside it does.
  if (kernel % 2 == 0) {
    return ModelError("{}: conv_kernel_size {} is not supported; supported are odd ones",
                      config.place(), kernel);
  }
  const auto hidden = static_cast<int64_t>(encoder.hidden_size);
  ASSIGN_OR_RETURN(const int64_t groups, config.Integer("conv_groups", 1, hidden, 1));
  if (hidden % groups != 0) {
    return ModelError("{}: conv_groups {} does not divide hidden_size {}", config.place(), groups,
                      hidden);
  }
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "conv_act", "tanh"));
  encoder.convolution = {.kernel = static_cast<size_t>(kernel),
                         .groups = static_cast<size_t>(groups),
                         .activation = activation,
                         .norm = encoder.layers[0].attention_norms.output.value()};
  return {};
}

Status CheckComputation(const JsonValue& config, const Encoder& encoder) {
  const auto hidden = static_cast<int64_t>(encoder.hidden_size);
  const auto head_dim = static_cast<int64_t>(encoder.layers[0].attention.head_dim);
  for (const auto& [field, expected] :
       {std::pair("pooler_hidden_size", hidden), std::pair("attention_head_size", head_dim)}) {
    ASSIGN_OR_RETURN(const int64_t size, config.Integer(field, 1, kMaxWidth, expected));
    if (size == expected) continue;
    return ModelError("{}: {} {} is not supported; supported is {}", config.place(), field, size,
                      expected);
  }
  return {};
}

Result<Encoder> ReadEncoder(const JsonValue& config) {
  ASSIGN_OR_RETURN(Encoder encoder, ReadSizes(config));
  RETURN_IF_ERROR(CheckComputation(config, encoder));
  ASSIGN_OR_RETURN(encoder.token_types, ReadCount(config, "type_vocab_size", kMaxWidth, 0));
  RETURN_IF_ERROR(ReadPostNorms(config, "layer_norm_eps", 1e-7, encoder));
  RETURN_IF_ERROR(ReadDisentangled(config, encoder));
  RETURN_IF_ERROR(ReadConvolution(config, encoder));
  const auto hidden = static_cast<int64_t>(encoder.hidden_size);
  ASSIGN_OR_RETURN(encoder.embedding_size, ReadSize(config, "embedding_size", kMaxWidth, hidden));
  if (encoder.embedding_size != encoder.hidden_size) {
    encoder.projection_bias = false;
    std::swap(encoder.embeddings_norm, encoder.projected_norm);
  }
  ASSIGN_OR_RETURN(const Activation activation, ReadActivation(config, "hidden_act", "gelu"));
  for (Layer& layer : encoder.layers) layer.feed_forward.activation = activation;
  RETURN_IF_ERROR(ReadPositionCount(config, "max_position_embeddings", encoder));
  ASSIGN_OR_RETURN(const bool absolute, config.Bool("position_biased_input", true));
  if (!absolute) encoder.positions = {};
  return encoder;
}

Result<Classifier> ReadClassifier(const JsonValue& config) {
  Classifier classifier;
  ASSIGN_OR_RETURN(classifier.dense, ReadActivation(config, "pooler_hidden_act", "gelu"));
  return classifier;
}

constexpr EncoderTensorNames Tensors() {
  EncoderTensorNames names = kBertTensors;
  names.layer.query = "attention.self.query_proj";
  names.layer.key = "attention.self.key_proj";
  names.layer.value = "attention.self.value_proj";
  names.layer.position_query = "attention.self.pos_query_proj";
  names.layer.position_key = "attention.self.pos_key_proj";
  names.projection = "embeddings.embed_proj";
  names.projected_norm = "embeddings.LayerNorm";
  names.relative_embeddings = "encoder.rel_embeddings";
  names.relative_norm = "encoder.LayerNorm";
  names.convolution = "encoder.conv.conv";
  names.convolution_norm = "encoder.conv.LayerNorm";
  return names;
}

}  // namespace

constinit const Family kDebertaV2 = {
    .model_types = "deberta-v2",
    .tokenizer_class = "DebertaV2Tokenizer",
    .read_encoder = ReadEncoder,
    .prefixes = "deberta",
    .tensors = Tensors(),
    .classifier = {ReadClassifier, {.dense = "pooler.dense", .output = "classifier"}},
};

}  // namespace embedding
