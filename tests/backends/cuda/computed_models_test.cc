// What the device cuda leaves to the CPU; this needs no GPU.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "backends/architecture_kinds.h"
#include "backends/cuda/cuda_models.h"

namespace embedding {
namespace {

TEST(CudaArchitectures, AreComputedButForAFew) {
  std::vector<std::string> computed;
  for (const auto& [name, encoder] : EncoderKinds()) {
    if (CheckCudaComputes({encoder, {}}, "cuda").ok()) computed.emplace_back(name);
  }
  EXPECT_THAT(computed,
              testing::ElementsAre("ModernBert", "Qwen", "Gemma", "T5", "Albert", "Static"));
}

TEST(CudaArchitectures, WhatIsNotComputedIsRefusedByName) {
  const std::pair<const char*, std::function<void(Encoder&)>> kinds[] = {
      {"adapters",
       [](Encoder& e) {
         e.adapters = Adapters{2, 4, 1};
       }},
      {"inputs of layers", [](Encoder& e) { e.layer_inputs.emplace(); }},
      {"disentangled", [](Encoder& e) { e.disentangled.emplace(); }},
      {"experts",
       [](Encoder& e) {
         e.layers[1].feed_forward.experts = Experts{4, 2};
       }},
      {"scale their outputs", [](Encoder& e) { e.layers[1].scales_output = true; }},
      {"heads of 32", [](Encoder& e) { e.layers[1].attention.head_dim = 16; }},
  };
  for (const auto& [name, change] : kinds) {
    Architecture architecture = Of(kPlain, {});
    change(architecture.encoder);
    const Status status = CheckCudaComputes(architecture, "cuda");
    ASSERT_FALSE(status.ok()) << name;
    EXPECT_EQ(status.error().code, ErrorCode::kDeviceUnavailable) << name;
    EXPECT_THAT(status.error().message, testing::HasSubstr(name));
    EXPECT_THAT(status.error().message, testing::HasSubstr("choose the device cpu"));
  }
}

}  // namespace
}  // namespace embedding
