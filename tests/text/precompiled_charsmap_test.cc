#include "text/precompiled_charsmap.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace embedding {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string Bytes(uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xFF);
  return bytes;
}

std::string Blob(const std::vector<uint32_t>& units, const std::string& replacements) {
  std::string blob = Bytes(static_cast<uint32_t>(4 * units.size()));
  for (const uint32_t unit : units) blob += Bytes(unit);
  return blob + replacements;
}

// A trie with the one key "a", which gives the replacement at `value`.
std::vector<uint32_t> TrieOfA(uint32_t value) {
  std::vector<uint32_t> units(512, 0);
  units[0] = 256U << 10;                                       // children at 256 ^ byte
  units[256 ^ 'a'] = (256U ^ 'a' ^ 1U) << 10 | 1U << 8 | 'a';  // a key ends; its leaf is unit 1
  units[1] = 1U << 31 | value;
  return units;
}

std::string MessageOf(const Result<PrecompiledCharsmap>& charsmap) {
  return charsmap.ok() ? "" : charsmap.error().message;
}

TEST(PrecompiledCharsmap, ReplacesAChunkByThatOfItsShortestPrefix) {
  const auto charsmap =
      PrecompiledCharsmap::FromBlob(Blob(TrieOfA(3), std::string("no\0yes\0", 7)));
  ASSERT_TRUE(charsmap.ok()) << charsmap.error().message;
  EXPECT_EQ(charsmap->Transform("a"), "yes");
  EXPECT_EQ(charsmap->Transform("abc"), "yes");
  EXPECT_EQ(charsmap->Transform("b"), std::nullopt);
  EXPECT_EQ(charsmap->Transform(""), std::nullopt);
  EXPECT_EQ(charsmap->Transform(std::string_view("\0a", 2)), std::nullopt);
}

TEST(PrecompiledCharsmap, AReplacementMayBeEmptyOrEndWithoutANul) {
  const auto empty = PrecompiledCharsmap::FromBlob(Blob(TrieOfA(0), std::string("\0", 1)));
  ASSERT_TRUE(empty.ok());
  EXPECT_EQ(empty->Transform("a"), "");
  const auto open = PrecompiledCharsmap::FromBlob(Blob(TrieOfA(0), "open"));
  ASSERT_TRUE(open.ok());
  EXPECT_EQ(open->Transform("a"), "open");
}

TEST(PrecompiledCharsmap, RefusesWhatIsNotBase64) {
  for (const char* text : {"abc", "ab=c", "====", "ab!d", "AAAA=AAA", "YWJj\n"}) {
    EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBase64(text)), HasSubstr("base64")) << text;
  }
}

TEST(PrecompiledCharsmap, RefusesBlobsOfImpossibleSizes) {
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob("")), HasSubstr("too short"));
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob("abc")), HasSubstr("too short"));
  for (const uint32_t size : {0U, 3U, 4U, 0xFFFFFFFCU}) {
    EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Bytes(size) + "abc")),
                HasSubstr("trie has " + std::to_string(size)));
  }
}

TEST(PrecompiledCharsmap, RefusesReplacementsThatAreNotUtf8OrVeryLong) {
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Blob(TrieOfA(0), "\xC3"))),
              HasSubstr("not UTF-8"));
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Blob(TrieOfA(0), std::string(5000, 'x')))),
              HasSubstr("5000 bytes"));
}

TEST(PrecompiledCharsmap, RefusesATrieThatPointsOutside) {
  const std::string replacements = "\xC3\xA9";                // one character of two bytes
  for (const uint32_t value : {1U, 2U, 100U, 0x7FFFFFFFU}) {  // inside it, at the end, beyond
    EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Blob(TrieOfA(value), replacements))),
                AllOf(HasSubstr("unit 353"), HasSubstr("at byte " + std::to_string(value) + ","),
                      HasSubstr("the 2 bytes")));
  }
  std::vector<uint32_t> units = TrieOfA(0);
  units[256 ^ 'a'] = 512U << 10 | 1U << 8 | 'a';  // the leaf is the first unit that is not there
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Blob(units, "x"))),
              HasSubstr("unit 353 points at unit 865 of 512"));
  EXPECT_THAT(MessageOf(PrecompiledCharsmap::FromBlob(Blob({256U << 10}, "x"))),
              HasSubstr("unit 0 points at unit 256 of 1"));
}

void LookUpAll(const PrecompiledCharsmap& charsmap) {
  for (char c = 1; c < 0x7F; ++c) {
    const auto replacement = charsmap.Transform(std::string(1, c) + "xyz");
    EXPECT_LE(replacement.value_or("").size(), 1U);
  }
}

// Under the address sanitizer these are tests that no blob makes a lookup read outside.
TEST(PrecompiledCharsmap, SurvivesOrRefusesRandomTries) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> units(1 + (random() % 600));
    for (uint32_t& unit : units) {
      unit = static_cast<uint32_t>(random());
      if (random() % 2 == 0) unit = (unit & 0x3FF00U) | static_cast<uint32_t>(random() % 0x80);
    }
    const auto charsmap = PrecompiledCharsmap::FromBlob(Blob(units, std::string("a\0b\0", 4)));
    if (charsmap.ok()) LookUpAll(*charsmap);
  }
}

TEST(PrecompiledCharsmap, SurvivesRandomTriesThatPointInside) {
  std::mt19937 random(8);
  for (int round = 0; round < 300; ++round) {
    std::vector<uint32_t> units(512);
    for (uint32_t& unit : units) {
      const auto number = static_cast<uint32_t>(random() % 512);
      unit = random() % 2 == 0 ? 1U << 31 | number % 4  // a replacement
                               : number << 10 | 1U << 8 | static_cast<uint32_t>(random() % 0x80);
    }
    for (uint32_t i = 0; i < units.size(); ++i) {
      if (units[i ^ (units[i] >> 10 & 511U)] >> 31 == 0) units[i] &= ~(1U << 8);  // no leaf there
    }
    const auto charsmap = PrecompiledCharsmap::FromBlob(Blob(units, std::string("a\0b\0", 4)));
    ASSERT_TRUE(charsmap.ok()) << charsmap.error().message;
    LookUpAll(*charsmap);
  }
}

}  // namespace
}  // namespace embedding
