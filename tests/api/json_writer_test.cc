#include "api/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <vector>

namespace embedding::api {
namespace {

using Limits = std::numeric_limits<float>;

std::string Written(const std::vector<float>& values) {
  std::string out;
  EXPECT_TRUE(AppendJsonFloats(values, out));
  return out;
}

TEST(JsonFloatsTest, ShortestForm) {
  EXPECT_EQ(Written({}), "[]");
  EXPECT_EQ(Written({1, -1, 0.1F, 0.25F}), "[1,-1,0.1,0.25]");
  EXPECT_EQ(Written({-0.0F}), "[-0]");
}

// Every exponent, the subnormals and the ends of the range read back bit for bit.
TEST(JsonFloatsTest, ReadsBackAsTheSameBits) {
  std::vector<float> values = {0.0F,
                               -0.0F,
                               Limits::min(),
                               Limits::max(),
                               -Limits::max(),
                               Limits::denorm_min(),
                               -1.1754942e-38F,
                               16777216.0F,
                               9.999999e-5F};
  std::mt19937 random(1);
  while (values.size() < 200'000) {
    const float value = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (std::isfinite(value)) values.push_back(value);
  }
  const std::string text = Written(values);
  const char* p = text.c_str();
  for (const float value : values) {
    ++p;  // '[' or ','
    char* end = nullptr;
    const float read = std::strtof(p, &end);
    ASSERT_EQ(std::bit_cast<uint32_t>(read), std::bit_cast<uint32_t>(value)) << value;
    ASSERT_LE(end - p, 15) << value;
    p = end;
  }
  EXPECT_STREQ(p, "]");
  EXPECT_EQ(nlohmann::json::parse(text).size(), values.size());  // and is JSON
}

TEST(JsonFloatsTest, RefusesWhatJsonCannotSay) {
  for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    std::string out = "before";
    EXPECT_FALSE(AppendJsonFloats(std::vector<float>{1, bad, 2}, out));
    EXPECT_EQ(out, "before");
  }
}

TEST(JsonStringTest, EscapesWhatMustBe) {
  std::string out;
  AppendJsonString("a\"b\\c\n\x01/\x7F é😀", out);
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001/\x7F é😀\"");
}

TEST(JsonStringTest, EveryByteBelowThe80thReadsBack) {
  std::string text;
  for (char c = 0; c < 0x7F; ++c) text += c;
  std::string out;
  AppendJsonString(text, out);
  EXPECT_EQ(nlohmann::json::parse(out).get<std::string>(), text);
}

TEST(JsonIntegerTest, WholeRange) {
  std::string out;
  AppendJsonInteger(0, out);
  AppendJsonInteger(std::numeric_limits<uint64_t>::max(), out);
  EXPECT_EQ(out, "018446744073709551615");
}

}  // namespace
}  // namespace embedding::api
