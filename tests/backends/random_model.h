// A model of random weights, for tests that compare what two backends make of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "backends/random.h"
#include "model/architecture.h"
#include "model/tensors.h"

namespace embedding {

class RandomModel {
 public:
  // Tensors for all that the architecture has. `scale`: of what LayerNorm multiplies with.
  explicit RandomModel(Architecture architecture, float scale = 1)
      : architecture_(std::move(architecture)), scale_(scale) {
    const Encoder& encoder = architecture_.encoder;
    const size_t hidden = encoder.hidden_size;
    EncoderTensors& tensors = tensors_.encoder;
    const size_t embedding = encoder.embedding_size;
    tensors.word_embeddings = Table(encoder.vocab_size, embedding);
    tensors.word_adapters = TableAdapters(encoder.vocab_size, embedding);
    if (encoder.positions.count > 0) {
      tensors.position_embeddings = Table(encoder.positions.count, embedding);
    }
    if (encoder.token_types > 0) {
      tensors.token_type_embeddings = Table(encoder.token_types, embedding);
      tensors.token_type_adapters = TableAdapters(encoder.token_types, embedding);
    }
    tensors.embeddings_norm = MakeNorm(encoder.embeddings_norm, embedding);
    if (embedding != hidden) {
      tensors.projection = MakeLinear(embedding, hidden, encoder.projection_bias);
      tensors.projected_norm = MakeNorm(encoder.projected_norm, hidden);
    }
    for (const Layer& layer : encoder.layers) {
      if (layer.weights == tensors.layers.size())
        tensors.layers.push_back(MakeLayer(layer, hidden));
      if (encoder.adapters) AddAdapters(tensors.layers.back());
    }
    tensors.final_norm = MakeNorm(encoder.final_norm, hidden);
    if (encoder.relative_bias) {
      tensors.relative_bias =
          Table(encoder.relative_bias->buckets, encoder.layers[0].attention.heads);
    }
    if (encoder.disentangled) {
      tensors.relative_embeddings = Table(2 * encoder.disentangled->span, hidden);
      tensors.relative_norm = MakeNorm(encoder.disentangled->norm, hidden);
    }
    const Heads& heads = architecture_.heads;
    for (const auto& vector : {heads.pooled, heads.scores}) {
      if (!vector) continue;
      tensors_.heads.token_modules = MakeModules(vector->token_modules, hidden);
      tensors_.heads.modules = MakeModules(vector->modules, vector->pooled_size(hidden));
    }
    if (heads.token_weights) tensors_.heads.token_weights = MakeLinear(hidden, 1);
    if (heads.token_vectors) tensors_.heads.token_vectors = MakeLinear(hidden, hidden / 2);
    if (heads.splade) {
      tensors_.heads.splade = {MakeLinear(hidden, hidden), *MakeNorm(Norm{}, hidden),
                               MakeLinear(hidden, encoder.vocab_size)};
    }
    if (heads.classifier) {
      const Classifier& classifier = *heads.classifier;
      ClassifierTensors& of = tensors_.heads.classifier.emplace();
      if (classifier.dense) of.dense = MakeLinear(hidden, hidden, classifier.dense_bias);
      of.norm = MakeNorm(classifier.norm, hidden);
      of.output = MakeLinear(hidden, classifier.labels, classifier.output_bias);
    }
  }
  RandomModel(const RandomModel&) = delete;
  RandomModel& operator=(const RandomModel&) = delete;

  const Architecture& architecture() const { return architecture_; }
  const Tensors& tensors() const { return tensors_; }

 private:
  TensorView Numbers(std::vector<int64_t> shape, float scale, float mean = 0) {
    size_t size = 1;
    for (const int64_t n : shape) size *= static_cast<size_t>(n);
    numbers_.push_back(Random(size, ++seed_, scale));
    for (float& x : numbers_.back()) x += mean;
    return {DType::kF32, std::move(shape), std::as_bytes(std::span(numbers_.back())), {}};
  }
  TensorView Table(size_t rows, size_t columns) {
    return Numbers({static_cast<int64_t>(rows), static_cast<int64_t>(columns)}, 0.5F);
  }
  // Of a weight of that shape, and of a table of that shape, where A is of the rows.
  std::optional<AdapterTensors> LinearAdapters(const TensorView& weight) {
    const Adapters& adapters = *architecture_.encoder.adapters;
    const auto count = static_cast<int64_t>(adapters.count);
    const auto rank = static_cast<int64_t>(adapters.rank);
    const float scale = 1 / std::sqrt(static_cast<float>(weight.shape[1]));
    return AdapterTensors{Numbers({count, rank, weight.shape[1]}, scale),
                          Numbers({count, weight.shape[0], rank}, 0.5F)};
  }
  std::optional<AdapterTensors> TableAdapters(size_t rows, size_t columns) {
    const auto& adapters = architecture_.encoder.adapters;
    if (!adapters) return std::nullopt;
    const auto count = static_cast<int64_t>(adapters->count);
    const auto rank = static_cast<int64_t>(adapters->rank);
    return AdapterTensors{Numbers({count, static_cast<int64_t>(rows), rank}, 0.5F),
                          Numbers({count, rank, static_cast<int64_t>(columns)}, 0.5F)};
  }
  void AddAdapters(LayerTensors& layer) {
    for (LinearTensors* linear : LinearsOf(layer)) {
      linear->adapters = LinearAdapters(linear->weight);
    }
  }
  LinearTensors MakeLinear(size_t in_features, size_t out_features, bool has_bias = true) {
    const auto in = static_cast<int64_t>(in_features);
    const auto out = static_cast<int64_t>(out_features);
    // So that sums are about as large as what is summed.
    const float scale = 1 / std::sqrt(static_cast<float>(in_features));
    LinearTensors linear = {"linear", Numbers({out, in}, scale), {}};
    if (has_bias) linear.bias = Numbers({out}, 0.1F);
    return linear;
  }
  std::optional<NormTensors> MakeNorm(const std::optional<Norm>& norm, size_t size) {
    if (!norm || !norm->weighted) return std::nullopt;
    const auto n = static_cast<int64_t>(size);
    NormTensors tensors = {Numbers({n}, 0.1F * scale_, norm->plus_one ? 0 : scale_), {}};
    if (norm->has_bias()) tensors.bias = Numbers({n}, 0.1F);
    return tensors;
  }
  HalfNormTensors MakeNorms(const HalfNorms& norms, size_t size) {
    return {MakeNorm(norms.input, size), MakeNorm(norms.branch, size),
            MakeNorm(norms.output, size)};
  }
  std::vector<ModuleTensors> MakeModules(const std::vector<VectorModule>& modules, size_t size) {
    std::vector<ModuleTensors> made;
    for (const VectorModule& module : modules) {
      ModuleTensors& of = made.emplace_back();
      if (const auto* const dense = std::get_if<DenseModule>(&module)) {
        of.linear = MakeLinear(dense->in_features, dense->out_features, dense->bias);
        if (dense->projects_residual())
          of.residual = MakeLinear(dense->in_features, dense->out_features, /*has_bias=*/false);
        size = dense->out_features;
      } else if (const auto* const norm = std::get_if<LayerNormModule>(&module)) {
        of.norm = MakeNorm(norm->norm, size);
      }
    }
    return made;
  }
  LayerTensors MakeLayer(const Layer& layer, size_t hidden) {
    const Attention& attention = layer.attention;
    const FeedForward& feed_forward = layer.feed_forward;
    LayerTensors tensors;
    tensors.query = MakeLinear(hidden, attention.width(), attention.qkv_bias);
    tensors.key = MakeLinear(hidden, attention.kv_width(), attention.qkv_bias);
    tensors.value = MakeLinear(hidden, attention.kv_width(), attention.qkv_bias);
    tensors.attention_output = MakeLinear(attention.width(), hidden, attention.output_bias);
    tensors.query_norm = MakeNorm(attention.query_norm, attention.head_dim);
    tensors.key_norm = MakeNorm(attention.key_norm, attention.head_dim);
    tensors.attention_norms = MakeNorms(layer.attention_norms, hidden);
    const size_t experts = feed_forward.experts ? feed_forward.experts->count : 1;
    for (size_t e = 0; e < experts; ++e) {
      FeedForwardTensors& of = tensors.feed_forward.emplace_back();
      if (feed_forward.gated) {
        of.gate = MakeLinear(hidden, feed_forward.width, feed_forward.intermediate_bias);
      }
      of.intermediate = MakeLinear(hidden, feed_forward.width, feed_forward.intermediate_bias);
      of.output =
          MakeLinear(feed_forward.width, hidden, feed_forward.output_bias && !feed_forward.experts);
    }
    if (feed_forward.experts) {
      tensors.router = MakeLinear(hidden, experts, /*has_bias=*/false);
      if (feed_forward.output_bias) {
        tensors.experts_bias = Numbers({static_cast<int64_t>(hidden)}, 0.1F);
      }
    }
    tensors.feed_forward_norms = MakeNorms(layer.feed_forward_norms, hidden);
    const Encoder& encoder = architecture_.encoder;
    if (encoder.disentangled && encoder.disentangled->own_projections) {
      tensors.position_query = MakeLinear(hidden, attention.width());
      tensors.position_key = MakeLinear(hidden, attention.width());
    }
    if (const auto& inputs = encoder.layer_inputs) {
      tensors.inputs = LayerInputTensors{MakeLinear(hidden, inputs->size, /*has_bias=*/false),
                                         MakeLinear(hidden, inputs->size, /*has_bias=*/false),
                                         MakeLinear(inputs->size, hidden, /*has_bias=*/false),
                                         *MakeNorm(inputs->norm, inputs->size),
                                         *MakeNorm(inputs->branch_norm, hidden)};
    }
    if (layer.scales_output) tensors.output_scale = Numbers({1}, 0.1F, 0.8F);
    return tensors;
  }

  Architecture architecture_;
  const float scale_;
  uint32_t seed_ = 0;
  std::deque<std::vector<float>> numbers_;
  Tensors tensors_;
};

}  // namespace embedding
