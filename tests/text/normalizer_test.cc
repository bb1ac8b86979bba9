// Where characters come from after a normalizer, in cases small enough to read. That the texts are
// right for all of Unicode is reference_test.cc's business.
#include "text/normalizer.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace embedding {
namespace {

using Origins = std::vector<std::pair<uint32_t, uint32_t>>;

// What `normalizer` makes of `input`: the text, and the origin of each of its bytes.
std::pair<std::string, Origins> Normalize(const std::unique_ptr<Normalizer>& normalizer,
                                          std::string_view input) {
  NormalizedText text;
  NormalizedText spare;
  text.Assign(input, 0, true);
  normalizer->Apply(text, spare);
  Origins origins;
  for (const CharRange& range : text.origin) origins.emplace_back(range.begin, range.end);
  return {text.text, origins};
}

TEST(Normalizer, ADecompositionComesFromItsCharacter) {
  const auto [text, origins] = Normalize(MakeNormalFormNormalizer(NormalForm::kNfd), "xé");
  EXPECT_EQ(text, "xe\u0301");
  EXPECT_EQ(origins, (Origins{{0, 1}, {1, 2}, {1, 2}, {1, 2}}));
}

TEST(Normalizer, ACompositeComesFromItsBase) {
  const auto [text, origins] = Normalize(MakeNormalFormNormalizer(NormalForm::kNfc), "e\u0301x");
  EXPECT_EQ(text, "éx");
  EXPECT_EQ(origins, (Origins{{0, 1}, {0, 1}, {2, 3}}));
}

TEST(Normalizer, AMarkOfTheSameClassBlocksComposition) {
  const auto nfc = MakeNormalFormNormalizer(NormalForm::kNfc);
  EXPECT_EQ(Normalize(nfc, "a\u0305\u0301").first, "a\u0305\u0301");
  EXPECT_EQ(Normalize(nfc, "a\u0323\u0301").first, "ạ\u0301");
  EXPECT_EQ(Normalize(nfc, "a\u0301\u0323").first, "ạ\u0301");
  EXPECT_EQ(Normalize(nfc, "a\u0334\u0301").first, "á\u0334");
  EXPECT_EQ(Normalize(nfc, "\u1100\u1161\u11A8").first, "각");
  EXPECT_EQ(Normalize(nfc, "\u1100\u1161\u11A7").first, "가\u11A7");
}

TEST(Normalizer, MarksAreSortedButOriginsAreNot) {
  const auto [text, origins] =
      Normalize(MakeNormalFormNormalizer(NormalForm::kNfd), "q\u0301\u0323");
  EXPECT_EQ(text, "q\u0323\u0301");
  EXPECT_EQ(origins, (Origins{{0, 1}, {1, 2}, {1, 2}, {2, 3}, {2, 3}}));
}

TEST(Normalizer, WhatIsReplacedComesFromTheLastCharacterOfTheMatch) {
  const auto [text, origins] = Normalize(MakeReplaceNormalizer({" ", 2}, "_"), "a   b c");
  EXPECT_EQ(text, "a_b c");
  EXPECT_EQ(origins, (Origins{{0, 1}, {3, 4}, {4, 5}, {5, 6}, {6, 7}}));
}

TEST(Normalizer, StrippingTakesOriginsAway) {
  const auto [text, origins] = Normalize(MakeStripNormalizer(true, true), "\u3000a b\n ");
  EXPECT_EQ(text, "a b");
  EXPECT_EQ(origins, (Origins{{1, 2}, {2, 3}, {3, 4}}));
}

TEST(Normalizer, BertSpacesIdeographsAndDropsAccentsAndControls) {
  const auto [text, origins] = Normalize(MakeBertNormalizer({}), "É\x01\t中");
  EXPECT_EQ(text, "e  中 ");
  EXPECT_EQ(origins, (Origins{{0, 1}, {2, 3}, {3, 4}, {3, 4}, {3, 4}, {3, 4}, {3, 4}}));
}

}  // namespace
}  // namespace embedding
