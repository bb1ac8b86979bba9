#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace embedding {
namespace {

using Limits = std::numeric_limits<float>;

// What `write` writes, behind what the buffer already has.
template <typename Write>
std::string Written(const Write& write) {
  std::string out;
  JsonWriter json(out);
  write(json);
  return out;
}

std::string Floats(const std::vector<float>& values) {
  return Written([&](JsonWriter& json) { EXPECT_TRUE(json.Floats(values).ok()); });
}

std::string Base64(std::string_view bytes) {
  return Written([&](JsonWriter& json) { json.Base64(std::as_bytes(std::span(bytes))); });
}

TEST(JsonWriter, CommasComeByThemselves) {
  const std::string written = Written([](JsonWriter& json) {
    json.BeginObject().Key("none").BeginArray().EndArray();
    json.Key("object").BeginObject().Key("a").Integer(1).Key("b").Bool(true).EndObject();
    json.Key("empty").BeginObject().EndObject().Key("null").Null();
    json.Key("array").BeginArray().String("x").Json("{\"y\":1}").Integer(2).Bool(false);
    json.BeginArray().EndArray().BeginObject().EndObject().Null();
    EXPECT_TRUE(json.Float(0.5F).ok());
    EXPECT_TRUE(json.Floats(std::vector<float>{1, 2}).ok());
    EXPECT_TRUE(json.Floats({}).ok());
    EXPECT_TRUE(json.Rows(std::vector<float>{1, 2, 3, 4}, 2).ok());
    json.Base64({}).EndArray();
    EXPECT_TRUE(json.Key("float").Float(1).ok());
    EXPECT_TRUE(json.Key("floats").Floats(std::vector<float>{1}).ok());
    EXPECT_TRUE(json.Key("rows").Rows({}, 3).ok());
    json.Key("last").String("").EndObject();
  });
  EXPECT_EQ(written, R"({"none":[],"object":{"a":1,"b":true},"empty":{},"null":null,)"
                     R"("array":["x",{"y":1},2,false,[],{},null,0.5,[1,2],[],[[1,2],[3,4]],""],)"
                     R"("float":1,"floats":[1],"rows":[],"last":""})");
}

TEST(JsonWriter, AppendsToWhatIsThere) {
  std::string out = "before";
  JsonWriter(out).BeginArray().Integer(1).EndArray();
  EXPECT_EQ(out, "before[1]");
}

TEST(JsonWriter, FloatsAreInTheShortestForm) {
  EXPECT_EQ(Floats({}), "[]");
  EXPECT_EQ(Floats({1, -1, 0.1F, 0.25F}), "[1,-1,0.1,0.25]");
  EXPECT_EQ(Floats({-0.0F}), "[-0]");
}

// Every exponent, the subnormals and the ends of the range read back bit for bit.
TEST(JsonWriter, FloatsReadBackAsTheSameBits) {
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
  const std::string text = Floats(values);
  const char* p = text.c_str();
  for (const float value : values) {
    ++p;  // '[' or ','
    char* end = nullptr;
    const float read = std::strtof(p, &end);
    ASSERT_EQ(std::bit_cast<uint32_t>(read), std::bit_cast<uint32_t>(value)) << value;
    ASSERT_LT(static_cast<size_t>(end - p), JsonWriter::kMaxFloatChars) << value;
    p = end;
  }
  EXPECT_STREQ(p, "]");
  EXPECT_EQ(nlohmann::json::parse(text).size(), values.size());  // and is JSON
}

TEST(JsonWriter, AFloatAloneIsWrittenAsInAnArray) {
  for (const float value : {0.0F, -1.5F, Limits::denorm_min(), -1.1754942e-38F, Limits::max()}) {
    const std::string alone =
        Written([&](JsonWriter& json) { EXPECT_TRUE(json.Float(value).ok()); });
    EXPECT_EQ('[' + alone + ']', Floats({value}));
  }
}

TEST(JsonWriter, RefusesWhatJsonCannotSay) {
  for (const float bad : {Limits::quiet_NaN(), Limits::infinity(), -Limits::infinity()}) {
    std::string out;
    JsonWriter json(out);
    const std::vector<float> values = {1, bad, 2, 3};
    EXPECT_EQ(json.Float(bad).error().code, ErrorCode::kInternal);
    EXPECT_EQ(json.Floats(values).error().code, ErrorCode::kInternal);
    EXPECT_EQ(json.Rows(values, 2).error().code, ErrorCode::kInternal);
  }
}

TEST(JsonWriter, StringsEscapeWhatMustBe) {
  const std::string_view text = "a\"b\\c\n\x01/\x7F é😀";
  const std::string_view escaped = "\"a\\\"b\\\\c\\n\\u0001/\x7F é😀\"";
  EXPECT_EQ(Written([&](JsonWriter& json) { json.String(text); }), escaped);
  EXPECT_EQ(Written([&](JsonWriter& json) { json.BeginObject().Key(text).Null().EndObject(); }),
            '{' + std::string(escaped) + ":null}");
}

TEST(JsonWriter, EveryByteBelowThe80thReadsBack) {
  std::string text;
  for (char c = 0; c < 0x7F; ++c) text += c;
  const std::string written = Written([&](JsonWriter& json) { json.String(text); });
  EXPECT_EQ(nlohmann::json::parse(written).get<std::string>(), text);
}

// The expected values are Python's base64's.
TEST(JsonWriter, Base64IsPadded) {
  EXPECT_EQ(Base64(""), "\"\"");
  EXPECT_EQ(Base64("f"), "\"Zg==\"");
  EXPECT_EQ(Base64("fo"), "\"Zm8=\"");
  EXPECT_EQ(Base64("foo"), "\"Zm9v\"");
  EXPECT_EQ(Base64("\xFF\xFE\xFB\xF0"), "\"//778A==\"");
}

TEST(JsonWriter, IntegersOfEveryWidth) {
  const std::string written = Written([](JsonWriter& json) {
    json.BeginArray().Integer(0).Integer(uint8_t{255}).Integer(int8_t{-128});
    json.Integer(std::numeric_limits<int64_t>::min());
    json.Integer(std::numeric_limits<uint64_t>::max()).EndArray();
  });
  EXPECT_EQ(written, "[0,255,-128,-9223372036854775808,18446744073709551615]");
}

}  // namespace
}  // namespace embedding
