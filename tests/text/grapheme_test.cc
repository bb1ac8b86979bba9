#include "text/grapheme.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace embedding {
namespace {

std::vector<std::string> Clusters(std::string_view text) {
  std::vector<std::string> clusters;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = GraphemeClusterEnd(text, begin);
    clusters.emplace_back(text.substr(begin, end - begin));
    begin = end;
  }
  return clusters;
}

using Strings = std::vector<std::string>;

// One case for each rule of UAX #29.
TEST(GraphemeClusterEnd, FollowsTheRulesOfUax29) {
  EXPECT_EQ(Clusters("ab"), (Strings{"a", "b"}));                  // GB999
  EXPECT_EQ(Clusters("\r\n\n\r"), (Strings{"\r\n", "\n", "\r"}));  // GB3-5
  EXPECT_EQ(Clusters("\n\u0301"), (Strings{"\n", "\u0301"}));      // GB4
  EXPECT_EQ(Clusters("\u1100\u1161\u11A8\u1100"),
            (Strings{"\u1100\u1161\u11A8", "\u1100"}));                            // GB6-8
  EXPECT_EQ(Clusters("가\u11A8각\u1161"), (Strings{"가\u11A8", "각", "\u1161"}));  // GB7, GB8
  EXPECT_EQ(Clusters("e\u0301\u0327x"), (Strings{"e\u0301\u0327", "x"}));          // GB9
  EXPECT_EQ(Clusters("क\u093Eक"), (Strings{"क\u093E", "क"}));                      // GB9a
  EXPECT_EQ(Clusters("\u0600a"), (Strings{"\u0600a"}));                            // GB9b
  EXPECT_EQ(Clusters("क\u094Dतक"), (Strings{"क\u094Dत", "क"}));                    // GB9c
  EXPECT_EQ(Clusters("क\u094D\u200Cत"), (Strings{"क\u094D\u200C", "त"}));          // GB9c
  EXPECT_EQ(Clusters("👩\u200D👧👦"), (Strings{"👩\u200D👧", "👦"}));                    // GB11
  EXPECT_EQ(Clusters("a\u200D👧"), (Strings{"a\u200D", "👧"}));                      // GB11
  EXPECT_EQ(Clusters("🇩🇪🇫"), (Strings{"🇩🇪", "🇫"}));                                // GB12
}

}  // namespace
}  // namespace embedding
