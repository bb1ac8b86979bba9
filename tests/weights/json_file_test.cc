#include "weights/json_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "temp_dir.h"

namespace embedding {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& text) {
  const auto json = ParseJson(text);
  EXPECT_FALSE(json.ok()) << text;
  return json.ok() ? "" : json.error().message;
}

TEST(JsonFileTest, ParsesWhatTheLibraryParses) {
  for (const char* text : {"null", "true", "3", "-3", "1.5e3", "18446744073709551615",
                           R"("a\u0441\n")", "[]", "{}", R"([1,[2,{"a":[3,null]},"x"],{}])",
                           R"({"a":{"b":[{"c":1}]},"d":[[],[1]],"e":false})", " [ 1 , 2 ] \n"}) {
    const auto json = ParseJson(text);
    ASSERT_TRUE(json.ok()) << text << json.error().message;
    EXPECT_EQ(*json, nlohmann::json::parse(text)) << text;
  }
}

TEST(JsonFileTest, RefusesWhatIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "{\"a\"}", "{'a':1}", "nul", "1 2", "[1]x", "\"a",
                           "NaN", "01", "\"\xFF\"", "\"\xED\xA0\x80\"", "// c\n1", "1e999"}) {
    EXPECT_THAT(ErrorOf(text), HasSubstr("not valid JSON: ")) << text;
  }
  EXPECT_THAT(ErrorOf(std::string("{}\0", 3)), HasSubstr("not valid JSON: a zero byte"));
  EXPECT_THAT(ErrorOf("[1,\n x]"), HasSubstr("line 2, column 2"));
  EXPECT_LT(ErrorOf("\"" + std::string(100'000, 'x')).size(), 400U);
}

TEST(JsonFileTest, RefusesEqualNamesAndDeepNesting) {
  EXPECT_THAT(ErrorOf(R"({"a":1,"b":{"a":2},"a":3})"), HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(ErrorOf(R"([{"x":{"a":1,"a":1}}])"), HasSubstr("twice"));
  EXPECT_TRUE(ParseJson(R"([{"a":1},{"a":2}])").ok());
  EXPECT_TRUE(ParseJson(std::string(64, '[') + std::string(64, ']')).ok());
  EXPECT_THAT(ErrorOf(std::string(65, '[') + std::string(65, ']')), HasSubstr("64 levels"));
  std::string objects;
  for (int i = 0; i < 1'000'000; ++i) objects += "{\"a\":";
  EXPECT_THAT(ErrorOf(objects), HasSubstr("64 levels"));
}

TEST(JsonFileTest, NamesTheFile) {
  const TempDir dir;
  const std::string path = dir.Write("x.json", "{");
  EXPECT_THAT(ReadJsonFile(path).error().message, HasSubstr(path + ": not valid JSON"));
  dir.Write("x.json", "");
  EXPECT_THAT(ReadJsonFile(path).error().message, HasSubstr(path + ": the file is empty"));
  dir.Write("x.json", "[]");
  EXPECT_THAT(JsonObject::Read(path).error().message,
              HasSubstr(path + ": must be a JSON object, but it is an array"));
}

TEST(JsonFileTest, ReadsFieldsOfTheRightType) {
  const auto object = JsonObject::FromJson(
      "file", nlohmann::json::parse(R"({"i":3,"f":3.0,"s":"x","b":true,"n":null,"a":["x","y"],)"
                                    R"("big":18446744073709551615,"neg":-1,"mixed":["x",1]})"));
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
