#include "base/ascii.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace embedding {
namespace {

TEST(Ascii, TextsMayDifferInTheCaseOfLetters) {
  EXPECT_TRUE(EqualsIgnoringCase("", ""));
  EXPECT_TRUE(EqualsIgnoringCase("100-Continue", "100-cONTINUE"));
  EXPECT_FALSE(EqualsIgnoringCase("a", "ab"));
  EXPECT_FALSE(EqualsIgnoringCase("[", "{"));  // 0x20 apart, and no letters
  EXPECT_FALSE(EqualsIgnoringCase("\xC4", "\xE4"));
  // Nothing is read behind the end, where the sanitizers look.
  const std::vector<char> exact = {'H', 't', 't', 'p'};
  EXPECT_TRUE(EqualsIgnoringCase({exact.data(), exact.size()}, "http"));
}

}  // namespace
}  // namespace embedding
