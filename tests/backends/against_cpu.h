// A device against the CPU: random models of many shapes, every head, mixed batches.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "backends/backend.h"
#include "backends/random_model.h"
#include "embedding/device.h"

namespace embedding {

struct Shape {
  size_t hidden_size;
  size_t heads;
  size_t head_dim;
  size_t width;  // of the feed-forward
  size_t layers;
  Activation activation;
  std::optional<int32_t> uncounted_id;
};

inline std::vector<Heads> AllHeads(size_t hidden) {
  Heads vectors;
  vectors.pooled = PooledVector{{Pooling::kMean, Pooling::kCls, Pooling::kMax, Pooling::kLastToken,
                                 Pooling::kMeanSqrtLenTokens, Pooling::kWeightedMean},
                                {DenseModule{.in_features = 6 * hidden, .out_features = 20},
                                 DenseModule{.in_features = 20,
                                             .out_features = 7,
                                             .bias = false,
                                             .activation = Activation::kIdentity}}};
  vectors.token_weights = TokenWeights{.unused_ids = {0, 2}};
  vectors.token_vectors = TokenVectors{};
  Heads first_token;
  first_token.pooled = PooledVector{{Pooling::kCls}, {}};
  Heads last_token;
  last_token.pooled = PooledVector{{Pooling::kLastToken}, {}};
  Heads splade;
  splade.pooled = PooledVector{{Pooling::kMean}, {}};
  splade.splade = Splade{.max_active_dims = 11};
  Heads sums = splade;
  sums.splade = Splade{.sums = true, .log_twice = true, .activation = Activation::kRelu};
  Heads classifier;
  classifier.classifier = Classifier{3};
  return {vectors, first_token, last_token, splade, sums, classifier};
}

inline Architecture Of(const Shape& shape, Heads heads) {
  Architecture architecture;
  constexpr Norm kNorm = {.eps = 1e-6F};
  Encoder& encoder = architecture.encoder;
  encoder.hidden_size = encoder.embedding_size = shape.hidden_size;
  encoder.vocab_size = 90;
  encoder.token_types = 2;
  encoder.positions = {240, shape.uncounted_id ? 2U : 0U, shape.uncounted_id};
  encoder.max_tokens = encoder.positions.count - encoder.positions.first;
  encoder.embeddings_norm = kNorm;
  Layer layer;
  layer.attention.heads = layer.attention.kv_heads = shape.heads;
  layer.attention.head_dim = shape.head_dim;
  layer.attention.scale = 1 / std::sqrt(static_cast<float>(shape.head_dim));
  layer.feed_forward.width = shape.width;
  layer.feed_forward.activation = shape.activation;
  layer.attention_norms.output = layer.feed_forward_norms.output = kNorm;
  for (size_t i = 0; i < shape.layers; ++i) {
    layer.weights = i;
    encoder.layers.push_back(layer);
  }
  architecture.heads = std::move(heads);
  return architecture;
}

// Sequences of many lengths, one of them empty where a head allows it, that want different things.
struct Sequences {
  // They have `adapter_count` adapters, one after the other, and some none.
  explicit Sequences(const Heads& heads, size_t adapter_count = 0) {
    const bool classifies = heads.classifier || heads.scores;
    const bool skips = heads.pooled && !heads.pooled->pools_prompt;
    for (const uint32_t length : {5U, 1U, 16U, 78U, classifies ? 3U : 0U, 17U, 16U, 40U, 230U}) {
      for (uint32_t i = 0; i < length; ++i) {
        ids.push_back(static_cast<int32_t>((ids.size() * 37 + length) % 90));
        types.push_back(i < length / 2 ? 0 : 1);
      }
      offsets.push_back(static_cast<uint32_t>(ids.size()));
      const size_t s = wanted.size();
      if (adapter_count > 0) adapters.push_back(static_cast<int32_t>(s % (adapter_count + 1)) - 1);
      // Nothing, some, all of a sequence's tokens.
      if (skips) first_pooled.push_back(std::min<uint32_t>(length, s % 3 == 0 ? 0 : 3));
      wanted.push_back({.dense = !classifies && s % 4 != 3,
                        .lexical_weights = (heads.token_weights || heads.splade) && s % 3 != 1,
                        .colbert_vecs = heads.token_vectors && s % 3 != 0,
                        .token_embeddings = !classifies && s == 5,
                        .logits = classifies && s != 2});
    }
  }

  Batch batch() const { return {ids, types, offsets, wanted, first_pooled, adapters}; }

  std::vector<int32_t> ids;
  std::vector<int32_t> types;
  std::vector<uint32_t> offsets = {0};
  std::vector<Outputs> wanted;
  std::vector<uint32_t> first_pooled;
  std::vector<int32_t> adapters;
};

struct Tolerance {
  ComputeType type;
  double numbers;  // of numbers about as large as 1
};

inline void ExpectNear(std::span<const float> actual, std::span<const float> expected,
                       double tolerance, const char* what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double largest = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(actual[i]) - expected[i]));
    ASSERT_TRUE(std::isfinite(actual[i])) << what;
  }
  EXPECT_LT(largest, tolerance) << what;
}

// The weight of an id, 0 where it has none: one that is about 0 may have one here and none there.
inline double WeightOf(const std::vector<TokenWeight>& weights, int32_t id) {
  const auto found = std::find_if(weights.begin(), weights.end(),
                                  [id](const TokenWeight& w) { return w.id == id; });
  return found == weights.end() ? 0 : found->weight;
}

inline std::unique_ptr<Session> Load(Backend& backend, const RandomModel& model, ComputeType type) {
  auto session = backend.Load(model.architecture(), model.tensors(), type);
  EXPECT_TRUE(session.ok()) << session.error().message;
  return session.ok() ? *std::move(session) : nullptr;
}

inline void Compare(Session& actual, Session& expected, const Sequences& sequences,
                    const Heads& heads, double tolerance) {
  BatchOutputs computed;
  BatchOutputs reference;
  ASSERT_TRUE(actual.Run(sequences.batch(), computed).ok());
  ASSERT_TRUE(expected.Run(sequences.batch(), reference).ok());
  ASSERT_EQ(computed.size(), reference.size());
  for (size_t s = 0; s < computed.size(); ++s) {
    SCOPED_TRACE("sequence " + std::to_string(s));
    ExpectNear(computed[s].dense, reference[s].dense, tolerance, "dense");
    ExpectNear(computed[s].colbert_vecs, reference[s].colbert_vecs, tolerance, "colbert_vecs");
    ExpectNear(computed[s].token_embeddings, reference[s].token_embeddings, tolerance,
               "token_embeddings");
    ExpectNear(computed[s].logits, reference[s].logits, tolerance, "logits");
    if (heads.splade && heads.splade->max_active_dims) {
      EXPECT_EQ(computed[s].lexical_weights.size(), reference[s].lexical_weights.size());
      continue;  // which of two equal weights is the last that is kept depends on rounding
    }
    for (int32_t id = 0; id < 90; ++id) {
      EXPECT_NEAR(WeightOf(computed[s].lexical_weights, id),
                  WeightOf(reference[s].lexical_weights, id), tolerance * 10)
          << id;
    }
  }
}

// What `device` makes of a random model, with all those heads, against what the CPU does.
inline void ExpectWhatTheCpuGives(Backend& device, const std::vector<Heads>& all_heads,
                                  const Encoder& encoder,
                                  std::initializer_list<Tolerance> tolerances) {
  const auto cpu = *OpenBackend({.device = "cpu", .threads = 2});
  for (const Heads& heads : all_heads) {
    const RandomModel model(Architecture{encoder, heads});
    const Sequences sequences(heads, encoder.adapters ? encoder.adapters->count : 0);
    const auto reference = Load(*cpu, model, ComputeType::kF32);
    ASSERT_NE(reference, nullptr);
    for (const Tolerance& tolerance : tolerances) {
      const auto session = Load(device, model, tolerance.type);
      ASSERT_NE(session, nullptr);
      SCOPED_TRACE(session->dtype());
      Compare(*session, *reference, sequences, heads, tolerance.numbers);
    }
  }
}

// The same of a model of BERT's kind, with every head.
inline void ExpectWhatTheCpuGives(Backend& device, const Shape& shape,
                                  std::initializer_list<Tolerance> tolerances) {
  ExpectWhatTheCpuGives(device, AllHeads(shape.hidden_size), Of(shape, {}).encoder, tolerances);
}

}  // namespace embedding
