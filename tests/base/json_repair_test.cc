#include "base/json_repair.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

namespace embedding {
namespace {

TEST(JsonRepair, ReplacesHalvesOfPairsAlone) {
  const std::pair<const char*, const char*> cases[] = {
      {R"("\ud83d\ude00")", R"("\ud83d\ude00")"},
      {R"("\ud83d")", R"("\uFFFE")"},
      {R"("\ude00\ud83d")", R"("\uFFFE\uFFFE")"},
      {R"("\ud83d\ud83d\ude00")", R"("\uFFFE\ud83d\ude00")"},
      {R"("\ud83dx\ude00")", R"("\uFFFEx\uFFFE")"},
      {R"("\\ud83d")", R"("\\ud83d")"},
      {R"("\\\ud83d")", R"("\\\uFFFE")"},
      {R"("\ud8")", R"("\ud8")"},
      {R"("\u00e9\n\"")", R"("\u00e9\n\"")"},
      {"\\", "\\"},
      {"\\u", "\\u"},
  };
  for (const auto& [given, wanted] : cases) {
    std::string json = given;
    EXPECT_EQ(ReplaceUnpairedSurrogates(json), std::string(given) != wanted) << given;
    EXPECT_EQ(json, wanted);
  }
}

TEST(JsonRepair, WritesLargeNumbersAsOthersOfTheirLength) {
  const std::pair<const char*, const char*> cases[] = {
      {"[9223372036854775807]", "[9223372036854775807]"},
      {"[123456789012345678901]", "[1234567890123456789e2]"},
      {"-12345678901234567890", "-123456789012345678e2"},
      {"0.12345678901234567890123", "0.12345678901234567890123"},
      {"12345678901234567890123.5", "12345678901234567890123.5"},
      {R"({"12345678901234567890123":"12345678901234567890123"})",
       R"({"12345678901234567890123":"12345678901234567890123"})"},
      {R"("\"12345678901234567890123")", R"("\"12345678901234567890123")"},
      {"[1e400]", "[1e308]"},
      {"{\"a\":-123.5E+4000,\"b\":1e-400}", "{\"a\":-1e308      ,\"b\":1e-400}"},
      {"[1e308,-1.7e308,1.8e308]", "[1e308,-1.7e308,1e308  ]"},
      {"1e400e5", "1e400e5"},
      {"01e400", "01e400"},
      {"1.e400", "1.e400"},
      {"+1e400", "+1e400"},
      {"1e400-", "1e400-"},
      {"--1e400", "--1e400"},
      {"-", "-"},
      {R"("1e400")", R"("1e400")"},
      {R"("unfinished 12345678901234567890123\)", R"("unfinished 12345678901234567890123\)"},
  };
  for (const auto& [given, wanted] : cases) {
    std::string json = given;
    EXPECT_EQ(ReplaceLargeNumbers(json), std::string(given) != wanted) << given;
    EXPECT_EQ(json, wanted);
  }
}

}  // namespace
}  // namespace embedding
