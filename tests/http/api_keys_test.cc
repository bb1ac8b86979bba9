#include "http/api_keys.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "http/ask.h"

namespace embedding::http {
namespace {

// Answers with the name of the key.
const Handler kName = [](const Request& request, Responder responder) {
  responder.Answer({.body = request.client.key_name});
};

Response AskWith(const ApiKeys& keys, const std::string& api_key, const std::string& bearer = "",
                 const std::string& address = "") {
  Request request{"POST", "/", "", "id"};
  request.api_key = api_key;
  request.authorization = bearer;
  request.client.address = address;
  return Ask(FindClient(keys)(RequireKey(keys, PlainRefusal)(kName)), std::move(request));
}

TEST(ApiKeysTest, LetsThroughWhoSendsOneOfTheKeysUnderItsName) {
  const ApiKeys keys({MakeApiKey("one", "k1"), MakeApiKey("two", "k2"), MakeApiKey("two", "k3")});
  EXPECT_EQ(AskWith(keys, "k1").body, "one");
  EXPECT_EQ(AskWith(keys, "k2").body, "two");
  EXPECT_EQ(AskWith(keys, "k3").body, "two");
  EXPECT_EQ(AskWith(keys, "", "Bearer k2").body, "two");
  EXPECT_EQ(AskWith(keys, "", "bEARER   k2").body, "two");
  EXPECT_EQ(AskWith(keys, "wrong", "Bearer k1").body, "one");
  for (const auto& [api_key, authorization] :
       std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                        {"k", ""},
                                                        {"k11", ""},
                                                        {"K1", ""},
                                                        {"one", ""},
                                                        {"", "k1"},
                                                        {"", "Basic k1"},
                                                        {"", "Bearer"},
                                                        {"", "Bearer "},
                                                        {"", "Bearer k1 "}}) {
    EXPECT_EQ(AskWith(keys, api_key, authorization).status, 401) << api_key << authorization;
  }
}

TEST(ApiKeysTest, TellsHowToSendOneAndThatOneIsWrong) {
  const ApiKeys keys({MakeApiKey("name", "k")});
  const Response none = AskWith(keys, "");
  EXPECT_EQ(HeaderOf(none, "WWW-Authenticate"), "Bearer");
  EXPECT_NE(none.body.find("X-API-Key"), std::string::npos);
  EXPECT_NE(AskWith(keys, "wrong").body.find("not one of"), std::string::npos);
}

TEST(ApiKeysTest, AnEmptyKeyLetsNobodyInAndNoKeysEverybody) {
  EXPECT_EQ(AskWith(ApiKeys({MakeApiKey("a", "k"), MakeApiKey("b", "")}), "").status, 401);
  EXPECT_EQ(AskWith(ApiKeys(), "").status, 200);
}

TEST(ApiKeysTest, KeysCanBeReplacedWhileTheyAreAskedFor) {
  ApiKeys keys({MakeApiKey("old", "k1")});
  const Handler handler = FindClient(keys)(RequireKey(keys, PlainRefusal)(kName));
  keys.Replace({MakeApiKey("new", "k2")});
  EXPECT_EQ(AskWith(keys, "k1").status, 401);
  EXPECT_EQ(AskWith(keys, "k2").body, "new");
  keys.Replace({});
  EXPECT_EQ(AskWith(keys, "").status, 200);
}

// A key by its digest alone, as a file has it: echo -n s3cret | sha256sum
TEST(ApiKeysTest, ADigestIsAsGoodAsTheKey) {
  const ApiKey plain = MakeApiKey("a", "s3cret");
  const ApiKeys keys({{.name = "a", .sha256 = plain.sha256}});
  EXPECT_EQ(AskWith(keys, "s3cret").body, "a");
  EXPECT_EQ(AskWith(keys, "s3cre").status, 401);
}

// What is longer than any key is not taken for its beginning.
TEST(ApiKeysTest, LongKeysAreWholeKeys) {
  const std::string long_key(3000, 'x');
  const ApiKeys keys({MakeApiKey("long", long_key)});
  EXPECT_EQ(AskWith(keys, long_key).body, "long");
  EXPECT_EQ(AskWith(keys, long_key + 'x').status, 401);
  EXPECT_EQ(AskWith(keys, long_key.substr(1)).status, 401);
  const ApiKeys other({MakeApiKey("full", std::string(kKeyBytes, 'y'))});
  EXPECT_EQ(AskWith(other, std::string(kKeyBytes, 'y')).body, "full");
  EXPECT_EQ(AskWith(other, std::string(kKeyBytes + 1, 'y')).status, 401);
}

// What tells of the keys by the time that it takes is what differs in work.
TEST(ApiKeysTest, EveryKeyIsHashedInAsManyBytesAndComparedWithAll) {
  for (size_t bytes = 1; bytes < 5000; ++bytes) {
    const size_t hashed = std::min<size_t>(bytes, kKeyBytes);
    EXPECT_EQ(hashed + FillerBytes(hashed, kKeyBytes), kKeyBytes);
  }
  std::vector<KeyDigest> digests(5);
  for (size_t i = 0; i < digests.size(); ++i) digests[i].fill(static_cast<uint8_t>(i));
  for (size_t wanted = 0; wanted < 7; ++wanted) {
    KeyDigest digest;
    digest.fill(static_cast<uint8_t>(wanted));
    std::vector<const KeyDigest*> seen;
    const size_t place = PlaceOf(digest, digests, [&](const KeyDigest& a, const KeyDigest& b) {
      seen.push_back(&b);
      return static_cast<size_t>(a == b);
    });
    EXPECT_EQ(place, std::min<size_t>(wanted, digests.size()));
    EXPECT_EQ(seen.size(), digests.size());
    EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), digests.size());
  }
}

TEST(ApiKeysTest, AClientIsItsKeyOrItsAddress) {
  const ApiKeys keys({MakeApiKey("10.0.0.1", "k")});
  const auto id = [&](const std::string& key, const std::string& address) {
    std::string found;
    const Handler note = [&](const Request& request, Responder responder) {
      found = request.client.id;
      responder.Answer({});
    };
    Request request{"POST", "/", "", "id"};
    request.api_key = key;
    request.client.address = address;
    (void)Ask(FindClient(keys)(note), std::move(request));
    return found;
  };
  EXPECT_EQ(id("k", "192.0.2.1"), "key:10.0.0.1");
  EXPECT_EQ(id("", "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(id("wrong", "192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(id("", "2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
  EXPECT_EQ(id("", ""), "");
}

}  // namespace
}  // namespace embedding::http
