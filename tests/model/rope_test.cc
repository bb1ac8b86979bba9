#include "model/families/rope.h"
#include "test_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

namespace embedding {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Result<Rope> Read(const json& config, const RopeFields& fields) {
  const auto value = JsonValue::Parse(config.dump(), "config.json");
  EXPECT_TRUE(value.ok());
  return ReadRope(*value, fields);
}

TEST(Rope, FrequenciesEqualThoseOfTransformers) {
  const json references = json::parse(std::ifstream(TestData("expected/rope.json")));
  ASSERT_GT(references.at("cases").size(), 15U);
  for (const json& reference : references.at("cases")) {
    SCOPED_TRACE(reference.at("config").dump());
    RopeFields fields = {.head_dim = references.at("head_dim")};
    const std::string type = reference.value("layer_type", "");
    if (!type.empty()) {
      const bool global = type == "full_attention";
      fields.default_theta = global ? 160000 : 10000;
      fields.theta = global ? "global_rope_theta" : "local_rope_theta";
      fields.layer_type = type;
    }
    const auto rope = Read(reference.at("config"), fields);
    ASSERT_TRUE(rope.ok()) << rope.error().message;
    EXPECT_FLOAT_EQ(rope->factor, reference.at("factor"));
    const auto expected = reference.at("frequencies").get<std::vector<float>>();
    ASSERT_EQ(rope->frequencies.size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_FLOAT_EQ(rope->frequencies[i], expected[i]) << i;
    }
  }
}

TEST(Rope, RefusesWhatItDoesNotCompute) {
  const auto error = [](const json& config, size_t head_dim = 8) {
    const auto rope = Read(config, {.head_dim = head_dim});
    EXPECT_FALSE(rope.ok()) << config;
    return rope.ok() ? "" : rope.error().message;
  };
  for (const char* type : {"dynamic", "longrope", "su", "proportional"}) {
    EXPECT_THAT(error({{"rope_scaling", {{"type", type}, {"factor", 2.0}}}}),
                HasSubstr("config.json: rope_scaling: type \"" + std::string(type) +
                          "\" is not supported; supported are \"default\""));
    EXPECT_THAT(error({{"rope_parameters", {{"rope_type", type}, {"factor", 2.0}}}}),
                HasSubstr("rope_parameters: rope_type \"" + std::string(type) + "\""));
  }
  EXPECT_THAT(error({{"rope_theta", 0}}), HasSubstr("rope_theta must be a number above 0"));
  EXPECT_THAT(error({{"rope_theta", "10000"}}), HasSubstr("rope_theta must be"));
  EXPECT_THAT(error({{"rope_scaling", {{"type", "linear"}, {"factor", -1}}}}),
              HasSubstr("factor must be a number above 0"));
  EXPECT_THAT(error({{"rope_scaling", {{"type", "linear"}}}}), HasSubstr("factor is missing"));
  EXPECT_THAT(error({{"rope_scaling", {{"type", "ntk"}, {"factor", 2}, {"mixed_b", 0.5}}}}),
              HasSubstr("mixed_b"));
  const json yarn = {{"type", "yarn"}, {"factor", 2}, {"original_max_position_embeddings", 64}};
  EXPECT_THAT(error({{"rope_theta", 1}, {"rope_scaling", yarn}}), HasSubstr("rope_theta 1 is not"));
  EXPECT_THAT(error({{"rope_scaling", "linear"}}), HasSubstr("rope_scaling must be an object"));
  EXPECT_THAT(error({}, 9), HasSubstr("an even number"));
  json linear = {{"type", "linear"}, {"factor", 2}, {"partial_rotary_factor", 0.125}};
  EXPECT_THAT(error({{"rope_scaling", linear}}), HasSubstr("an even number"));
  linear["partial_rotary_factor"] = 1.5;
  EXPECT_THAT(error({{"rope_scaling", linear}}), HasSubstr("partial_rotary_factor"));
}

TEST(Rope, OfTheDefaultTypeTurnsAllOfAHead) {
  for (const json& config :
       {json{{"partial_rotary_factor", 0.5}},
        json{{"rope_parameters", {{"rope_type", "default"}, {"partial_rotary_factor", 0.5}}}}}) {
    const auto rope = Read(config, {.head_dim = 64});
    ASSERT_TRUE(rope.ok()) << rope.error().message;
    EXPECT_EQ(rope->rotated(), 64U);
  }
}

TEST(Rope, RefusesFrequenciesThatAreNotNumbers) {
  // Whose inverse, or quotient, overflows.
  for (const json& config : {json{{"rope_theta", 1e-45}},
                             json{{"rope_scaling", {{"type", "linear"}, {"factor", 1e-45}}}}}) {
    const auto rope = Read(config, {.head_dim = 64});
    ASSERT_FALSE(rope.ok()) << config;
    EXPECT_THAT(rope.error().message, HasSubstr("not finite")) << config;
  }
}

}  // namespace
}  // namespace embedding
