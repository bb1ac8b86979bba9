// A model of random weights, for tests that compare what two backends make of it.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <deque>
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
    tensors_.encoder = {Table(encoder.vocab_size, hidden),
                        Table(encoder.positions.count, hidden),
                        Table(encoder.token_types, hidden),
                        MakeNorm(hidden),
                        {}};
    for (const Layer& layer : encoder.layers) {
      const size_t width = layer.attention.width();
      tensors_.encoder.layers.push_back(
          {MakeLinear(hidden, width), MakeLinear(hidden, width), MakeLinear(hidden, width),
           MakeLinear(width, hidden), MakeNorm(hidden),
           MakeLinear(hidden, layer.feed_forward.width),
           MakeLinear(layer.feed_forward.width, hidden), MakeNorm(hidden)});
    }
    const Heads& heads = architecture_.heads;
    if (heads.pooled) {
      for (const DenseModule& dense : heads.pooled->dense) {
        tensors_.heads.dense.push_back(MakeLinear(dense.in_features, dense.out_features));
        if (!dense.bias) tensors_.heads.dense.back().bias.reset();
      }
    }
    if (heads.token_weights) tensors_.heads.token_weights = MakeLinear(hidden, 1);
    if (heads.token_vectors) tensors_.heads.token_vectors = MakeLinear(hidden, hidden / 2);
    if (heads.splade) {
      tensors_.heads.splade = {MakeLinear(hidden, hidden), MakeNorm(hidden),
                               MakeLinear(hidden, encoder.vocab_size)};
    }
    if (heads.classifier) {
      tensors_.heads.classifier = {MakeLinear(hidden, hidden),
                                   MakeLinear(hidden, heads.classifier->labels)};
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
  LinearTensors MakeLinear(size_t in_features, size_t out_features) {
    const auto in = static_cast<int64_t>(in_features);
    const auto out = static_cast<int64_t>(out_features);
    // So that sums are about as large as what is summed.
    const float scale = 1 / std::sqrt(static_cast<float>(in_features));
    return {"linear", Numbers({out, in}, scale), Numbers({out}, 0.1F)};
  }
  NormTensors MakeNorm(size_t size) {
    const auto n = static_cast<int64_t>(size);
    return {Numbers({n}, 0.1F * scale_, scale_), Numbers({n}, 0.1F)};
  }

  Architecture architecture_;
  const float scale_;
  uint32_t seed_ = 0;
  std::deque<std::vector<float>> numbers_;
  Tensors tensors_;
};

}  // namespace embedding
