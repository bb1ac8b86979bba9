#include "base/json_document.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

#include "base/json_repair.h"

namespace embedding {
namespace {

namespace dom = simdjson::dom;

simdjson::error_code Failure(std::string text, size_t max_depth = 64) {
  return JsonDocument().Parse(text, max_depth);
}

TEST(JsonDocument, OutlivesItsText) {
  JsonDocument document;
  {
    std::string text = "\xEF\xBB\xBF{\"a\":\"a text that is no short string\"}";
    ASSERT_EQ(document.Parse(text, 64), simdjson::SUCCESS);
    text.assign(text.size(), 'x');
  }
  const auto object = JsonAs<dom::object>(document.root());
  ASSERT_TRUE(object.has_value());
  EXPECT_EQ(*JsonAs<std::string_view>(*LastJsonField(*object, "a")),
            "a text that is no short string");
}

// Whatever stands behind the text where it has room: in a buffer that is used again, the last one.
TEST(JsonDocument, ReadsNothingBehindTheText) {
  std::string text(1000, ']');
  text = "[1,2]";
  JsonDocument document;
  ASSERT_EQ(document.Parse(text, 64), simdjson::SUCCESS);
  EXPECT_EQ(JsonAs<dom::array>(document.root())->size(), 2U);
}

TEST(JsonDocument, TakesNumbersOfAnySizeWithAndWithoutAMark) {
  for (const std::string mark : {"", "\xEF\xBB\xBF"}) {
    std::string text = mark + "[123456789012345678901,-1e400]";
    JsonDocument document;
    ASSERT_EQ(document.Parse(text, 64), simdjson::SUCCESS);
    const auto array = JsonAs<dom::array>(document.root());
    ASSERT_TRUE(array.has_value());
    EXPECT_FALSE(JsonAs<int64_t>(array->at(0)).has_value());
    EXPECT_NEAR(JsonAs<double>(array->at(0)).value_or(0), 1.2345678901234567e20, 1e5);
    EXPECT_EQ(JsonAs<double>(array->at(1)).value_or(0), -kHuge);
  }
  EXPECT_NE(Failure("[01]"), simdjson::SUCCESS);
  EXPECT_NE(Failure("[123456789012345678901"), simdjson::SUCCESS);
}

TEST(JsonDocument, TellsWhatIsWrong) {
  EXPECT_EQ(Failure("\"\xFF\""), simdjson::UTF8_ERROR);
  EXPECT_EQ(Failure("\"\\x\""), simdjson::STRING_ERROR);
  EXPECT_EQ(Failure(""), simdjson::EMPTY);
  EXPECT_EQ(Failure("\xEF\xBB\xBF"), simdjson::EMPTY);
}

TEST(JsonDocument, HoldsToTheDepth) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + "1" + std::string(levels, ']');
  };
  for (const size_t most : std::initializer_list<size_t>{2, 64, 1024}) {
    EXPECT_EQ(Failure(nested(most - 1), most), simdjson::SUCCESS) << most;
    EXPECT_EQ(Failure(nested(most + 1), most), simdjson::DEPTH_ERROR) << most;
  }
}

TEST(JsonDocument, OfFieldsOfOneNameTheLastCounts) {
  std::string text = R"({"a":1,"b":{"a":2},"a":null})";
  JsonDocument document;
  ASSERT_EQ(document.Parse(text, 64), simdjson::SUCCESS);
  const auto object = JsonAs<dom::object>(document.root());
  ASSERT_TRUE(object.has_value());
  EXPECT_TRUE(LastJsonField(*object, "a")->is_null());
  EXPECT_FALSE(LastJsonField(*object, "c").has_value());
}

TEST(JsonDocument, NamesKinds) {
  std::string text = R"([[],{},"x",1,1.5,18446744073709551615,true,null])";
  JsonDocument document;
  ASSERT_EQ(document.Parse(text, 64), simdjson::SUCCESS);
  std::string kinds;
  const auto values = JsonAs<dom::array>(document.root());
  ASSERT_TRUE(values.has_value());
  for (const dom::element value : *values) {
    kinds.append(JsonKind(value)) += ' ';
  }
  EXPECT_EQ(kinds, "array object string number number number boolean null ");
}

}  // namespace
}  // namespace embedding
