#include "base/json_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/json_document.h"
#include "base/json_repair.h"
#include "temp_dir.h"

namespace embedding {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto json = JsonValue::Parse(text, "");
  EXPECT_FALSE(json.ok()) << text;
  return json.ok() ? "" : json.error().message;
}

TEST(JsonValueTest, ParsesWhatAnotherLibraryParses) {
  for (const char* text : {"null", "true", "3", "-3", "1.5e3", "18446744073709551615",
                           R"("a\u0441\n")", "[]", "{}", R"([1,[2,{"a":[3,null]},"x"],{}])",
                           R"({"a":{"b":[{"c":1}]},"d":[[],[1]],"e":false})", " [ 1 , 2 ] \n"}) {
    const auto json = JsonValue::Parse(text, "");
    ASSERT_TRUE(json.ok()) << text << json.error().message;
    EXPECT_EQ(nlohmann::json::parse(std::string(simdjson::minify(json->element()))),
              nlohmann::json::parse(text))
        << text;
  }
  EXPECT_TRUE(JsonValue::Parse("\xEF\xBB\xBF{}", "").ok());
}

TEST(JsonValueTest, RefusesWhatIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\"}", "{'a':1}", "nul", "1 2", "[1]x", "\"a",
                           "NaN", "01", "\"\xFF\"", "\"\xED\xA0\x80\"", "// c\n1"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("not valid JSON: ")) << text;
  }
  EXPECT_THAT(ErrorOf(std::string("{}\0", 3)), HasSubstr("not valid JSON: "));
  EXPECT_LT(ErrorOf("\"" + std::string(100'000, 'x')).size(), 400U);
}

TEST(JsonValueTest, RefusesDeepNesting) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + "1" + std::string(levels, ']');
  };
  EXPECT_TRUE(JsonValue::Parse(nested(63), "").ok());
  EXPECT_THAT(ErrorOf(nested(65)), HasSubstr("64 levels"));
  EXPECT_THAT(ErrorOf(nested(1'000'000)), HasSubstr("64 levels"));
  EXPECT_THAT(ErrorOf(std::string(1'000'000, '[')), HasSubstr("not valid JSON: "));
}

TEST(JsonValueTest, TakesIntegersOfAnyLength) {
  // As transformers writes "no limit".
  const auto json = JsonValue::Parse(
      R"({"model_max_length":1000000000000000019884624838656,"text":"10000000000000000000000"})",
      "");
  ASSERT_TRUE(json.ok()) << json.error().message;
  EXPECT_NEAR(*json->Number("model_max_length"), 1e30, 1e16);
  EXPECT_EQ(*json->String("text"), "10000000000000000000000");
  EXPECT_FALSE(json->Integer("model_max_length", 0, INT64_MAX).ok());
  EXPECT_EQ(*JsonValue::Parse("1e999", "")->AsNumber(), kHuge);
}

TEST(JsonValueTest, OfEqualNamesTheLastCounts) {
  const auto json = JsonValue::Parse(R"({"a":1,"b":{"a":2},"a":3})", "");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(*json->Integer("a", 0, 10), 3);
  EXPECT_EQ(json->Fields().size(), 3U);
}

TEST(JsonValueTest, NamesTheFile) {
  const TempDir dir;
  const std::string path = dir.Write("x.json", "{");
  EXPECT_THAT(JsonValue::FromFile(path).error().message, HasSubstr(path + ": not valid JSON"));
  dir.Write("x.json", "");
  EXPECT_THAT(JsonValue::FromFile(path).error().message, HasSubstr(path + ": the file is empty"));
  dir.Write("x.json", "[]");
  EXPECT_EQ(JsonValue::ObjectFromFile(path).error().message,
            path + ": must be a JSON object, but it is an array");
}

TEST(JsonValueTest, NamesThePlace) {
  const auto json = JsonValue::Parse(R"({"rope":{"theta":[1,"x"]}})", "config.json");
  ASSERT_TRUE(json.ok());
  const auto rope = json->Find("rope");
  const auto items = rope->Field("theta")->Elements();
  EXPECT_EQ((*items)[1].AsNumber().error().message,
            "config.json: rope.theta[1] must be a number, but it is \"x\"");
  EXPECT_EQ(rope->Field("scale").error().message, "config.json: rope.scale is missing");
  EXPECT_EQ(rope->Named("the rope").Bool("theta").error().message,
            "the rope: theta must be true or false, but it is an array");
  const auto nameless = JsonValue::Parse(R"({"model":{"vocab":3}})", "");
  EXPECT_EQ(nameless->Find("model")->Field("vocab")->Elements().error().message,
            "model.vocab must be an array, but it is 3");
}

TEST(JsonValueTest, ErrorsAreOfTheKindThatIsAskedFor) {
  EXPECT_EQ(JsonValue::Parse("x", "", ErrorCode::kMalformed).error().code, ErrorCode::kMalformed);
  const auto json = JsonValue::Parse("[]", "", ErrorCode::kUnavailable);
  EXPECT_EQ(json->ExpectObject().error().code, ErrorCode::kUnavailable);
}

TEST(JsonValueTest, AValueKeepsItsDocument) {
  std::optional<JsonValue> field;
  {
    const auto json = JsonValue::Parse(R"({"a":"a text that is no short string"})", "");
    field = json->Find("a");
  }
  EXPECT_EQ(*field->AsString(), "a text that is no short string");
}

TEST(JsonValueTest, ReadsFieldsOfTheRightType) {
  const auto object = JsonValue::Parse(R"({"i":3,"f":3.0,"s":"x","b":true,"n":null,"a":["x","y"],)"
                                       R"("big":18446744073709551615,"neg":-1,"mixed":["x",1]})",
                                       "file");
  ASSERT_TRUE(object.ok());
  EXPECT_EQ(*object->Integer("i", 0, 10), 3);
  EXPECT_EQ(*object->Number("i"), 3.0);
  EXPECT_EQ(*object->Number("f"), 3.0);
  EXPECT_TRUE(*object->Bool("b"));
  EXPECT_EQ(*object->String("s"), "x");
  EXPECT_EQ(object->Strings("a")->size(), 2U);
  EXPECT_EQ(object->Strings("s")->front(), "x");
  EXPECT_TRUE(object->Has("i"));
  for (const char* nothing : {"n", "absent"}) {
    EXPECT_FALSE(object->Has(nothing));
    EXPECT_EQ(*object->Integer(nothing, 0, 10, 7), 7);
    EXPECT_EQ(*object->Number(nothing, 0.5), 0.5);
    EXPECT_TRUE(*object->Bool(nothing, true));
    EXPECT_EQ(*object->String(nothing, "x"), "x");
    EXPECT_TRUE(object->Strings(nothing, std::vector<std::string>())->empty());
  }

  const auto error = [&](const char* field) {
    return object->Integer(field, 1, 100, 5).error().message;
  };
  EXPECT_EQ(error("f"), "file: f must be an integer from 1 to 100, but it is 3.0");
  EXPECT_EQ(error("s"), "file: s must be an integer from 1 to 100, but it is \"x\"");
  EXPECT_EQ(error("b"), "file: b must be an integer from 1 to 100, but it is true");
  EXPECT_EQ(error("a"), "file: a must be an integer from 1 to 100, but it is an array");
  EXPECT_EQ(error("neg"), "file: neg must be an integer from 1 to 100, but it is -1");
  EXPECT_EQ(error("big"),
            "file: big must be an integer from 1 to 100, but it is 18446744073709551615");
  EXPECT_EQ(object->Integer("absent", 1, 100).error().message,
            "file: absent is missing; it must be an integer from 1 to 100");
  EXPECT_FALSE(object->Bool("i").ok());
  EXPECT_EQ(object->Integer("n", 1, 100).error().message,
            "file: n must be an integer from 1 to 100, but it is null");
  EXPECT_FALSE(object->String("i", "x").ok());
  EXPECT_FALSE(object->Number("s").ok());
  EXPECT_FALSE(object->Strings("mixed").ok());
}

}  // namespace
}  // namespace embedding
