#include "text/double_array_trie.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace embedding {
namespace {

TEST(DoubleArrayTrie, FindsNothingWhenEmpty) {
  const DoubleArrayTrie trie = DoubleArrayTrie::Build({});
  EXPECT_EQ(trie.Find(""), std::nullopt);
  EXPECT_EQ(trie.Find("a"), std::nullopt);
  DoubleArrayTrie::Node node = trie.root();
  for (int byte = 0; byte < 256; ++byte) {
    EXPECT_FALSE(trie.Step(static_cast<unsigned char>(byte), node));
  }
}

TEST(DoubleArrayTrie, WalksThroughEveryKeyThatIsAPrefix) {
  const DoubleArrayTrie trie =
      DoubleArrayTrie::Build({{"abcd", 4}, {"a", 1}, {"abc", 3}, {"b", 9}, {"abd", 5}});
  std::vector<uint32_t> found;
  DoubleArrayTrie::Node node = trie.root();
  for (const char byte : std::string("abcde")) {
    if (!trie.Step(static_cast<unsigned char>(byte), node)) break;
    if (node.has_value()) found.push_back(node.value());
  }
  EXPECT_EQ(found, (std::vector<uint32_t>{1, 3, 4}));
  EXPECT_TRUE(trie.Walk("ab").has_value());
  EXPECT_EQ(trie.Find("ab"), std::nullopt);
}

TEST(DoubleArrayTrie, OfEqualKeysKeepsTheLargestValueAndDropsEmptyKeys) {
  const DoubleArrayTrie trie = DoubleArrayTrie::Build({{"a", 7}, {"a", 2}, {"", 1}, {"a", 3}});
  EXPECT_EQ(trie.Find("a"), 7U);
  EXPECT_EQ(trie.Find(""), std::nullopt);
}

TEST(DoubleArrayTrie, TellsKeysWithTheSameFirstEightBytesApart) {
  const std::string zeros(2, '\0');
  const DoubleArrayTrie trie = DoubleArrayTrie::Build(
      {{"12345678", 0}, {"123456789", 1}, {"1234567", 2}, {zeros, 3}, {{zeros.data(), 1}, 4}});
  EXPECT_EQ(trie.Find("12345678"), 0U);
  EXPECT_EQ(trie.Find("123456789"), 1U);
  EXPECT_EQ(trie.Find("1234567"), 2U);
  EXPECT_EQ(trie.Find(zeros), 3U);
  EXPECT_EQ(trie.Find(zeros.substr(1)), 4U);
}

TEST(DoubleArrayTrie, AgreesWithAMapOnRandomKeysOfAllBytes) {
  std::mt19937 random(1);
  std::map<std::string, uint32_t> map;
  for (uint32_t i = 0; i < 20000; ++i) {
    std::string key;
    // Few different bytes near the root, so that keys share prefixes; any byte further down.
    const size_t size = 1 + (random() % 8);
    for (size_t k = 0; k < size; ++k) key += static_cast<char>(random() % (k < 3 ? 6 : 256));
    map[key] = i;
  }
  std::vector<DoubleArrayTrie::Entry> entries;
  entries.reserve(map.size());
  for (const auto& [key, value] : map) entries.push_back({key, value});
  std::shuffle(entries.begin(), entries.end(), random);
  const DoubleArrayTrie trie = DoubleArrayTrie::Build(std::move(entries));
  for (const auto& [key, value] : map) {
    EXPECT_EQ(trie.Find(key), value);
    for (const std::string& other : {key.substr(1), key + "a", key.substr(0, key.size() - 1)}) {
      const auto known = map.find(other);
      EXPECT_EQ(trie.Find(other).has_value(), known != map.end());
    }
  }
}

}  // namespace
}  // namespace embedding
