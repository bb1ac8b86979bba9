#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace embedding {
namespace {

constexpr size_t kValid = std::string_view::npos;

TEST(Utf8, EveryScalarValueSurvivesTheRoundTrip) {
  for (char32_t c = 0; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, text);
    const CodePoint decoded = DecodeUtf8(text, 0);
    ASSERT_EQ(decoded.value, c);
    ASSERT_EQ(decoded.size_bytes, text.size());
    ASSERT_EQ(Utf8Length(static_cast<unsigned char>(text[0])), text.size());
    ASSERT_EQ(FindInvalidUtf8(text), kValid);
  }
}

// The ill-formed sequences of the Unicode standard's chapter 3.9.
TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(FindInvalidUtf8("Пример текста"), kValid);
  EXPECT_EQ(FindInvalidUtf8(""), kValid);
  EXPECT_EQ(FindInvalidUtf8("ab\x80"), 2U);            // a continuation byte alone
  EXPECT_EQ(FindInvalidUtf8("\xC0\xAF"), 0U);          // overlong, two bytes
  EXPECT_EQ(FindInvalidUtf8("\xE0\x80\x80"), 0U);      // overlong, three
  EXPECT_EQ(FindInvalidUtf8("\xF0\x80\x80\x80"), 0U);  // overlong, four
  EXPECT_EQ(FindInvalidUtf8("a\xED\xA0\x80"), 1U);     // a surrogate
  EXPECT_EQ(FindInvalidUtf8("\xF4\x90\x80\x80"), 0U);  // past U+10FFFF
  EXPECT_EQ(FindInvalidUtf8("\xF5\x80\x80\x80"), 0U);
  EXPECT_EQ(FindInvalidUtf8("abc\xD0"), 3U);  // cut
  EXPECT_EQ(FindInvalidUtf8("abc\xE2\x82"), 3U);
  EXPECT_EQ(FindInvalidUtf8("\xC3("), 0U);  // not continued
  EXPECT_EQ(FindInvalidUtf8("\xFF"), 0U);
}

}  // namespace
}  // namespace embedding
