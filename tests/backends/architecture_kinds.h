// Models that have, between them, all that the data of architecture.h and heads.h may say and that
// devices compute, in the company that it has in real ones.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "backends/against_cpu.h"
#include "model/architecture.h"

namespace embedding {

inline const Shape kPlain = {64, 2, 32, 256, 2, Activation::kGelu, std::nullopt};

inline constexpr Norm kRms = {.eps = 1e-6F, .kind = NormKind::kRms};

inline Rope MakeRope(size_t pairs, float theta) {
  Rope rope;
  for (size_t i = 0; i < pairs; ++i) {
    rope.frequencies.push_back(std::pow(theta, -static_cast<float>(i) / static_cast<float>(pairs)));
  }
  return rope;
}

// An encoder without tables of positions and types, whose layers are changed one by one.
inline Encoder Modern(const std::function<void(Layer& layer, size_t i)>& change) {
  Encoder encoder = Of(kPlain, {}).encoder;
  encoder.positions = {};
  encoder.token_types = 0;
  for (size_t i = 0; i < encoder.layers.size(); ++i) change(encoder.layers[i], i);
  return encoder;
}

struct EncoderKind {
  const char* name;
  Encoder encoder;
};

// One for each thing that the data of architecture.h may say, in the company that it has in models.
inline std::vector<EncoderKind> EncoderKinds() {
  const auto pre_norm = [](Layer& layer, const Norm& norm) {
    layer.attention_norms = {.input = norm, .branch = {}, .output = {}};
    layer.feed_forward_norms = {.input = norm, .branch = {}, .output = {}};
  };
  std::vector<EncoderKind> kinds;
  // Windows in some layers, two ropes, no biases, gates, the first layer without a norm.
  kinds.push_back({"ModernBert", Modern([&](Layer& layer, size_t i) {
                     pre_norm(layer, {.eps = 1e-5F, .bias = false});
                     if (i == 0) layer.attention_norms.input.reset();
                     if (i > 0) layer.attention.window = 8;
                     layer.attention.rope = MakeRope(16, i > 0 ? 100.0F : 10000.0F);
                     layer.attention.qkv_bias = layer.attention.output_bias = false;
                     layer.feed_forward.gated = true;
                     layer.feed_forward.intermediate_bias = false;
                     layer.feed_forward.output_bias = false;
                   })});
  kinds.back().encoder.final_norm = Norm{.eps = 1e-5F, .bias = false};
  kinds.push_back({"Qwen", Modern([&](Layer& layer, size_t) {
                     pre_norm(layer, kRms);
                     layer.attention.heads = 4;
                     layer.attention.head_dim = 16;
                     layer.attention.kv_heads = 2;
                     layer.attention.causal = true;
                     layer.attention.query_norm = layer.attention.key_norm = kRms;
                     layer.attention.rope = MakeRope(8, 10000.0F);
                     layer.feed_forward.gated = true;
                     layer.feed_forward.activation = Activation::kSilu;
                   })});
  kinds.back().encoder.embeddings_norm.reset();
  kinds.back().encoder.final_norm = kRms;
  kinds.push_back({"Gemma", Modern([&](Layer& layer, size_t i) {
                     Norm norm = kRms;
                     norm.plus_one = true;
                     layer.attention_norms = {.input = norm, .branch = norm, .output = {}};
                     layer.feed_forward_norms = {.input = norm, .branch = norm, .output = {}};
                     layer.attention.kv_heads = 1;
                     if (i > 0) layer.attention.window = 5;
                     layer.attention.causal = i > 0;
                     layer.attention.rope = MakeRope(6, 1000.0F);  // of 12 numbers of 32
                     layer.attention.rope->interleaved = true;
                     layer.attention.rope->factor = 1.3F;
                     layer.feed_forward.gated = true;
                     layer.feed_forward.activation = Activation::kGeluTanh;
                   })});
  kinds.back().encoder.embedding_scale = 3;
  kinds.push_back({"T5", Modern([&](Layer& layer, size_t) {
                     pre_norm(layer, kRms);
                     layer.attention.scale = 1;
                   })});
  kinds.back().encoder.relative_bias = RelativeBias{32, 60};
  kinds.back().encoder.final_norm = kRms;
  kinds.push_back({"FarT5", kinds.back().encoder});
  kinds.back().encoder.relative_bias = RelativeBias{32, 5000};
  kinds.back().encoder.layers[1].attention.window = 20;
  Encoder shared = Of(kPlain, {}).encoder;
  for (Layer& layer : shared.layers) layer.weights = 0;
  shared.embedding_size = 20;
  shared.projected_norm = kRms;
  kinds.push_back({"Albert", shared});
  kinds.push_back({"Experts", Of(kPlain, {}).encoder});
  kinds.back().encoder.layers[1].feed_forward.experts = Experts{4, 2};
  kinds.back().encoder.layers[1].feed_forward.intermediate_bias = false;
  kinds.push_back({"ExpertsWithoutBias", kinds.back().encoder});
  kinds.back().encoder.layers[1].feed_forward.output_bias = false;
  kinds.push_back({"Deberta", Modern([&](Layer& layer, size_t) {
                     layer.attention.scale = 1 / std::sqrt(3 * 32.0F);
                   })});
  kinds.back().encoder.disentangled =
      Disentangled{.span = 16, .buckets = 16, .max_distance = 60, .norm = Norm{.eps = 1e-6F}};
  kinds.push_back({"DebertaOfKeysAlone", kinds.back().encoder});
  kinds.back().encoder.disentangled->content_to_position = false;
  kinds.push_back({"OldDeberta", kinds.back().encoder});
  kinds.back().encoder.disentangled =
      Disentangled{.span = 100, .position_to_content = false, .own_projections = true, .norm = {}};
  kinds.push_back({"Gemma2", kinds[2].encoder});
  kinds.back().encoder.layer_inputs = LayerInputs{.size = 16,
                                                  .scale = 0.7F,
                                                  .activation = Activation::kGeluTanh,
                                                  .norm = kRms,
                                                  .branch_norm = kRms};
  kinds.back().encoder.embedding_scale = 1;
  for (Layer& layer : kinds.back().encoder.layers) {
    layer.scales_output = true;
    layer.attention.value_norm = kRms;
    layer.attention.value_norm->weighted = false;
  }
  Attention& wider = kinds.back().encoder.layers[1].attention;
  wider.head_dim = 48;
  wider.scale = 1 / std::sqrt(48.0F);
  for (const Encoder& like : {kinds[0].encoder, kinds[1].encoder, Of(kPlain, {}).encoder}) {
    kinds.push_back({"Adapted", like});
    kinds.back().encoder.adapters = Adapters{3, 4, 0.6F};
  }
  Encoder without_layers = Modern([](Layer&, size_t) {});
  without_layers.layers.clear();
  without_layers.embeddings_norm.reset();
  kinds.push_back({"Static", without_layers});
  return kinds;
}

// Those that AllHeads has not.
inline std::vector<Heads> HeadKinds(size_t hidden) {
  Heads modules;
  modules.pooled = PooledVector{
      {Pooling::kMean, Pooling::kCls},
      {DenseModule{.in_features = 2 * hidden, .out_features = 24, .residual = true},
       LayerNormModule{},
       DenseModule{.in_features = 24,
                   .out_features = 24,
                   .bias = false,
                   .activation = Activation::kGelu,
                   .residual = true},
       NormalizeModule{},
       DenseModule{.in_features = 24, .out_features = 9, .activation = Activation::kIdentity}}};
  Heads of_tokens;
  of_tokens.pooled = PooledVector{{Pooling::kMean, Pooling::kMax, Pooling::kLastToken},
                                  {NormalizeModule{}},
                                  {DenseModule{.in_features = hidden, .out_features = 12},
                                   LayerNormModule{}, NormalizeModule{}}};
  Heads without_prompt;
  without_prompt.pooled =
      PooledVector{{Pooling::kMean, Pooling::kCls, Pooling::kMax, Pooling::kLastToken,
                    Pooling::kMeanSqrtLenTokens, Pooling::kWeightedMean}};
  without_prompt.pooled->pools_prompt = false;
  Heads mean;
  mean.classifier = Classifier{.labels = 2, .pooling = Pooling::kMean, .dense = {}};
  mean.classifier->norm = Norm{.eps = 1e-5F, .bias = false};
  Heads late;
  late.classifier = Classifier{.labels = 2, .pooling = Pooling::kMean, .pools_late = true};
  late.classifier->norm = Norm{.eps = 1e-5F};
  late.classifier->dense = Activation::kGelu;
  Heads last;
  last.classifier = Classifier{.labels = 1,
                               .pooling = Pooling::kLastToken,
                               .padding_id = 37,
                               .dense = {},
                               .output_bias = false};
  Heads scores;
  scores.scores = PooledVector{
      {Pooling::kLastToken},
      {DenseModule{.in_features = hidden, .out_features = 1, .activation = Activation::kSigmoid}}};
  return {modules, of_tokens, without_prompt, mean, late, last, scores};
}

}  // namespace embedding
