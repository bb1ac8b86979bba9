#include "backends/plain_encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "backends/against_cpu.h"

namespace embedding {
namespace {

Architecture Plain() {
  Heads heads;
  heads.classifier = Classifier{3};
  return Of({32, 4, 8, 64, 2, Activation::kGelu, {}}, heads);
}

TEST(PlainEncoder, BertsKindIsComputed) {
  const Status status = CheckPlainEncoder(Plain(), "cuda");
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST(PlainEncoder, AnythingElseIsRefusedByName) {
  static constexpr Norm kRms = {.eps = 1e-6F, .kind = NormKind::kRms};
  const std::pair<const char*, std::function<void(Architecture&)>> kinds[] = {
      {"rotary", [](Architecture& a) { a.encoder.layers[1].attention.rope = Rope{{1.0F}}; }},
      {"share their keys", [](Architecture& a) { a.encoder.layers[1].attention.kv_heads = 2; }},
      {"causal", [](Architecture& a) { a.encoder.layers[0].attention.causal = true; }},
      {"window", [](Architecture& a) { a.encoder.layers[0].attention.window = 64; }},
      {"queries and keys", [](Architecture& a) { a.encoder.layers[0].attention.key_norm = kRms; }},
      {"scale", [](Architecture& a) { a.encoder.layers[0].attention.scale = 1; }},
      {"gated", [](Architecture& a) { a.encoder.layers[1].feed_forward.gated = true; }},
      {"experts",
       [](Architecture& a) {
         a.encoder.layers[1].feed_forward.experts = Experts{4, 2};
       }},
      {"norms", [](Architecture& a) { a.encoder.layers[1].attention_norms.output = kRms; }},
      {"norms", [](Architecture& a) { a.encoder.layers[1].attention_norms.input = kRms; }},
      {"share their weights", [](Architecture& a) { a.encoder.layers[1].weights = 0; }},
      {"static", [](Architecture& a) { a.encoder.layers.clear(); }},
      {"relative",
       [](Architecture& a) {
         a.encoder.relative_bias = RelativeBias{32, 128};
       }},
      {"projected", [](Architecture& a) { a.encoder.embedding_size = 16; }},
      {"embeddings", [](Architecture& a) { a.encoder.final_norm = kRms; }},
      {"embeddings", [](Architecture& a) { a.encoder.positions.count = 0; }},
      {"classifier", [](Architecture& a) { a.heads.classifier->pooling = Pooling::kMean; }},
  };
  for (const auto& [name, change] : kinds) {
    Architecture architecture = Plain();
    change(architecture);
    const Status status = CheckPlainEncoder(architecture, "cuda");
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kDeviceUnavailable) << name;
    EXPECT_THAT(status.error().message, testing::HasSubstr(name));
    EXPECT_THAT(status.error().message, testing::HasSubstr("choose the device cpu"));
  }
}

}  // namespace
}  // namespace embedding
