#include "text/regex.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "test_data.h"
#include "text/tokenizers.h"

namespace embedding {
namespace {

using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

std::string Refusal(std::string_view pattern) {
  const Result<Regex> regex = Regex::Compile(pattern);
  return regex.ok() ? "" : regex.error().message;
}

// The beginnings and ends of the matches, in characters.
std::vector<size_t> Matches(const Regex& regex, std::string_view text) {
  std::vector<size_t> matches;
  for (auto match = regex.Find(text, 0); match; match = regex.Find(text, match->end)) {
    matches.push_back(CountCharacters(text.substr(0, match->begin)));
    matches.push_back(CountCharacters(text.substr(0, match->end)));
  }
  return matches;
}

void ExpectCases(const Regex& regex, const Json& cases) {
  for (const Json& expected : cases) {
    EXPECT_EQ(Matches(regex, expected[0].get<std::string>()),
              expected[1].get<std::vector<size_t>>())
        << expected[0];
  }
}

// By Oniguruma: see tests/data/make_regex_references.py.
class RegexReferences : public testing::Test {
 protected:
  const Json references_ = Json::parse(ReadWhole(TestData("expected/regex.json")));
};

TEST_F(RegexReferences, PatternsOfTokenizersMatchWhereTheLibrarysDo) {
  ASSERT_FALSE(references_["real"].empty());
  for (const auto& [name, reference] : references_["real"].items()) {
    SCOPED_TRACE(name);
    const Result<Regex> regex = Regex::Compile(reference["pattern"].get<std::string>());
    ASSERT_TRUE(regex.ok()) << regex.error().message;
    ExpectCases(*regex, reference["cases"]);
  }
}

TEST_F(RegexReferences, PatternsMadeUpMatchSoOrAreRefused) {
  size_t taken = 0;
  for (const Json& reference : references_["random"]) {
    SCOPED_TRACE(reference["pattern"]);
    const Result<Regex> regex = Regex::Compile(reference["pattern"].get<std::string>());
    if (!regex.ok()) continue;
    ++taken;
    ExpectCases(*regex, reference["cases"]);
  }
  EXPECT_GT(taken, 100U);
}

TEST(Regex, SaysWhatIsNotSupported) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "a match of nothing"},
      {"a*", "a match of nothing"},
      {"a|$", "a match of nothing"},
      {"(a*)+b", "a repetition of what can be nothing"},
      {"a**", "a repetition of a repetition"},
      {"a{2}+", "a repetition of a repetition"},
      {"a{3,2}", "a repetition by a number that is not from 1 to 255"},
      {"a{256}", "a repetition by a number that is not from 1 to 255"},
      {"a{,}", "{ there"},
      {"*a", "* there"},
      {"^a", "^ there"},
      {"(a", "a ( without )"},
      {"a)", "a ) without ("},
      {"[a", "a [ without ]"},
      {"[]", "a class without members"},
      {"[b-a]", "a range in a class that ends before it begins"},
      {"[[:alpha:]]", "a class by name"},
      {"\\", "a backslash at its end"},
      {R"(\bword\b)", R"(the escape "\b")"},
      {R"(\1)", R"(the escape "\1")"},
      {R"(\p{Greek})", R"(the property "Greek")"},
      {R"(\p{L)", R"(\p{ without })"},
      {R"(\xff)", R"(a \x or \u that is no character)"},
      {R"(\ud800)", R"(a \x or \u that is no character)"},
      {R"(\u12)", R"(a \x or \u without its digits)"},
      {"(?<=a)b", "a group that is not (...), (?:...)"},
      {"a(?i)b", "a group that is not"},
      {"(?=ab)a", "a look-ahead at more than one character"},
      {"(?i:stra)", "(?i) with two letters of which there is a ligature"},
      {"(?i:é)", "(?i) with characters that are not ASCII"},
      {"(?i:\\p{L})", "(?i) with characters that are not ASCII"},
      {"a++a", "a possessive repetition that what follows could need to be shorter"},
      {"(?:a++)b", "a possessive repetition"},
      {"a+b", "a search that can go over a text again and again"},
      {R"(\s+$)", "a search that can go over a text again and again"},
      {"(?:ab|cd){200}", "more repetitions than are supported"},
      {std::string(3000, 'a'), "more than 2048 bytes"},
      {std::string(100, '(') + "a" + std::string(100, ')'), "groups nested too deeply"},
  };
  for (const auto& [pattern, problem] : cases) {
    EXPECT_THAT(Refusal(pattern),
                AllOf(HasSubstr("is a regular expression that is not supported: "),
                      HasSubstr("\" has " + problem)))
        << pattern;
  }
  EXPECT_THAT(Refusal("(?<=a)b"), HasSubstr("\"(?<=a)b\""));
}

// In quadratic time these would take minutes: each is half a million characters.
TEST(Regex, FindsAllMatchesInLinearTime) {
  const Result<Regex> regex = Regex::Compile(
      R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)");
  ASSERT_TRUE(regex.ok());
  constexpr size_t kSize = 500000;
  EXPECT_EQ(Matches(*regex, std::string(kSize, 'a')).size(), 2U);
  EXPECT_EQ(Matches(*regex, "\n" + std::string(kSize, ' ')).size(), 4U);
  EXPECT_EQ(Matches(*regex, std::string(kSize, ' ') + "a").size(), 4U);
  EXPECT_EQ(Matches(*regex, std::string(kSize, '\n')).size(), 2U);
}

TEST(Regex, PrefersWhatABacktrackingMatcherTriesFirst) {
  EXPECT_EQ(Matches(*Regex::Compile("ab|abc|c"), "abcab"), (std::vector<size_t>{0, 2, 2, 3, 3, 5}));
  EXPECT_EQ(Matches(*Regex::Compile("a+?|b"), "aab"), (std::vector<size_t>{0, 1, 1, 2, 2, 3}));
  EXPECT_EQ(Matches(*Regex::Compile("(?i:'S)|'"), "'s'\u017f'x"),
            (std::vector<size_t>{0, 2, 2, 4, 4, 5}));
}

}  // namespace
}  // namespace embedding
