#include "backends/plain_encoder.h"

#include <fmt/format.h>

#include <cmath>
#include <optional>

namespace embedding {
namespace {

bool IsLayerNorm(const std::optional<Norm>& norm) { return norm && norm->has_bias(); }

bool IsPostNorm(const HalfNorms& norms) {
  return !norms.input && !norms.branch && IsLayerNorm(norms.output);
}

// What there is that is not of BERT's kind; empty if nothing.
std::string_view Unusual(const Attention& attention) {
  if (attention.rope) return "rotary position embeddings";
  if (attention.kv_heads != attention.heads) return "heads that share their keys";
  if (attention.causal) return "causal attention";
  if (attention.window) return "attention within a window";
  if (attention.query_norm || attention.key_norm || attention.value_norm) {
    return "normalised queries and keys";
  }
  const float usual = 1 / std::sqrt(static_cast<float>(attention.head_dim));
  return attention.scale == usual ? "" : "attention with a scale of its own";
}

std::string_view Unusual(const Encoder& encoder) {
  if (encoder.layers.empty()) return "static embeddings";
  if (encoder.relative_bias || encoder.disentangled) return "relative positions";
  if (encoder.embedding_size != encoder.hidden_size) return "projected embeddings";
  if (encoder.final_norm || encoder.embedding_scale != 1 || encoder.positions.count == 0 ||
      encoder.token_types == 0 || !IsLayerNorm(encoder.embeddings_norm)) {
    return "embeddings of this kind";
  }
  for (size_t i = 0; i < encoder.layers.size(); ++i) {
    const Layer& layer = encoder.layers[i];
    if (const std::string_view unusual = Unusual(layer.attention); !unusual.empty()) return unusual;
    if (layer.weights != i) return "layers that share their weights";
    if (layer.feed_forward.experts) return "a mixture of experts";
    if (layer.feed_forward.gated) return "gated feed-forwards";
    if (!IsPostNorm(layer.attention_norms) || !IsPostNorm(layer.feed_forward_norms)) {
      return "layers with these norms";
    }
  }
  return "";
}

std::string_view Unusual(const PooledVector& pooled) {
  if (!pooled.token_modules.empty()) return "modules before the pooling";
  if (!pooled.pools_prompt) return "pooling that leaves out a prompt's tokens";
  for (const VectorModule& module : pooled.modules) {
    const auto* const dense = std::get_if<DenseModule>(&module);
    if (dense == nullptr) return "a LayerNorm or Normalize module before another";
    if (dense->residual) return "a Dense module with a residual";
  }
  return "";
}

}  // namespace

std::string_view WhatNoGpuComputes(const Architecture& architecture) {
  if (architecture.encoder.adapters) return "adapters";
  if (architecture.encoder.layer_inputs) return "inputs of layers";
  const Heads& heads = architecture.heads;
  if (heads.scores) return "scores that come out of modules";
  if (heads.classifier && (heads.classifier->pools_late || heads.classifier->padding_id)) {
    return "a classifier of this kind";
  }
  return heads.pooled ? Unusual(*heads.pooled) : "";
}

Error NotComputed(std::string_view what, std::string_view device) {
  return Error{ErrorCode::kDeviceUnavailable,
               fmt::format("the device {} does not compute {}, which this model has; choose the "
                           "device cpu",
                           device, what),
               {}};
}

Status CheckPlainEncoder(const Architecture& architecture, std::string_view device) {
  std::string_view unusual = WhatNoGpuComputes(architecture);
  if (unusual.empty()) unusual = Unusual(architecture.encoder);
  if (unusual.empty() && architecture.heads.classifier) {
    const Classifier& classifier = *architecture.heads.classifier;
    const bool is_bert = classifier.pooling == Pooling::kCls &&
                         classifier.dense == Activation::kTanh && !classifier.norm;
    if (!is_bert) unusual = "a classifier of this kind";
  }
  if (unusual.empty()) return {};
  return NotComputed(unusual, device);
}

}  // namespace embedding
