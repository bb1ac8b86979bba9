#include "text/strip.h"

#include <gtest/gtest.h>

#include "base/utf8.h"

namespace embedding {
namespace {

TEST(StripWhitespace, CutsBothEndsAndLeavesTheMiddle) {
  EXPECT_EQ(StripWhitespace("  a \n b\t\r\n"), "a \n b");
  EXPECT_EQ(StripWhitespace("\u3000Пример\u00A0"), "Пример");
  EXPECT_EQ(StripWhitespace("as it is"), "as it is");
  EXPECT_EQ(StripWhitespace(" \u2028\x1C "), "");
  EXPECT_EQ(StripWhitespace(""), "");
}

// The code points for which Python 3.11 says chr(c).isspace().
TEST(StripWhitespace, KnowsExactlyPythonsWhitespace) {
  const std::u32string spaces =
      U"\x09\x0A\x0B\x0C\x0D\x1C\x1D\x1E\x1F\x20\x85\xA0\u1680\u2000\u2001\u2002\u2003\u2004\u2005"
      U"\u2006\u2007\u2008\u2009\u200A\u2028\u2029\u202F\u205F\u3000";
  for (char32_t c = 1; c < 0x110000; ++c) {
    if (c >= 0xD800 && c < 0xE000) continue;
    std::string text;
    AppendUtf8(c, text);
    EXPECT_EQ(StripWhitespace(text).empty(), spaces.find(c) != std::u32string::npos)
        << static_cast<uint32_t>(c);
  }
}

}  // namespace
}  // namespace embedding
