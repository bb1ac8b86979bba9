#include "app/key_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "app/access.h"
#include "app/configuration.h"
#include "temp_dir.h"

namespace embedding::app {
namespace {

class KeyFileTest : public testing::Test {
 protected:
  std::string Write(const std::string& content) {
    std::ofstream(path_, std::ios::binary) << content;
    std::filesystem::permissions(path_, std::filesystem::perms::owner_all);  // else it is warned of
    return path_;
  }
  // Its error, which never shows a key.
  std::string Refused(const std::string& content) {
    const Result<KeyFile> file = ReadKeyFile(Write(content), {});
    EXPECT_FALSE(file.ok()) << content;
    if (file.ok()) return "";
    EXPECT_EQ(file.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(file.error().message.find("s3cret"), std::string::npos) << file.error().message;
    return file.error().message;
  }

  TempDir directory_;
  std::string path_ = (std::filesystem::path(directory_.path()) / "keys").string();
};

TEST_F(KeyFileTest, ReadsNamesKeysDigestsAndLimits) {
  // echo -n s3cret | sha256sum
  const Result<KeyFile> file = ReadKeyFile(
      Write("\xEF\xBB\xBF# who may ask\r\n"
            "\n"
            "alice  s3cret:with#signs\r\n"
            "  b.o-b_@x\tsha256:1EC1C26B50D5D3C58D9583181AF8076655FE00756BF7285940BA3670F99FCBA0  "
            "requests=5\n"
            "alice another requests=0 tokens=7"),
      {.requests = 1, .tokens = 2});
  ASSERT_TRUE(file.ok()) << file.error().message;
  ASSERT_EQ(file->keys.size(), 3U);
  EXPECT_EQ(file->keys[0].name, "alice");
  EXPECT_EQ(file->keys[0].sha256, http::MakeApiKey("", "s3cret:with#signs").sha256);
  EXPECT_EQ(file->keys[1].name, "b.o-b_@x");
  EXPECT_EQ(file->keys[1].sha256, http::MakeApiKey("", "s3cret").sha256);
  EXPECT_EQ(file->keys[2].sha256, http::MakeApiKey("", "another").sha256);
  ASSERT_EQ(file->rates.size(), 2U);
  EXPECT_EQ(file->rates.at("alice").requests, 0U);
  EXPECT_EQ(file->rates.at("alice").tokens, 7U);
  EXPECT_EQ(file->rates.at("b.o-b_@x").requests, 5U);
  EXPECT_EQ(file->rates.at("b.o-b_@x").tokens, 2U);  // what everybody has
}

TEST_F(KeyFileTest, NamesTheLineOfWhatIsWrong) {
  const std::string digest(64, 'a');
  const struct {
    std::string content;
    const char* part;
  } cases[] = {
      {"s3cret\n", ":1: expected a name and its key"},
      {"# x\n\na s3cret\ns3cret", ":4: expected a name and its key"},
      {"a:s3cret k", ":1: expected a name of"},
      {std::string(65, 'a') + " s3cret", ":1: expected a name of"},
      {"a s\x01s3cret", ":1: expected a key of printable ASCII"},
      {"a s3cret\xC3\xA9", ":1: expected a key of printable ASCII"},
      {"a sha256:s3cret", ":1: expected 64 hexadecimal digits"},
      {"a sha256:" + digest + "a", ":1: expected 64 hexadecimal digits"},
      {"a sha256:g" + digest.substr(1), ":1: expected 64 hexadecimal digits"},
      {"a two s3cret", ":1: expected nothing behind the key but"},
      {"a k requests=", ":1: expected nothing behind the key but"},
      {"a k requests=-1", ":1: expected nothing behind the key but"},
      {"a k requests=10000001", ":1: expected nothing behind the key but"},
      {"a k request=1", ":1: expected nothing behind the key but"},
      {"a s3cret\nb s3cret", ":2: the key of b stands in an earlier line too"},
      {"a k requests=1\na l requests=2", ":2: a has other limits in an earlier line"},
      {"", "has no key"},
      {"# a s3cret\n", "has no key"},
  };
  for (const auto& c : cases) {
    const std::string message = Refused(c.content);
    EXPECT_NE(message.find(c.part), std::string::npos) << c.content << " -> " << message;
  }
  const Result<KeyFile> missing = ReadKeyFile(path_ + "x", {});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("--api-keys-file: cannot read"), std::string::npos);
}

TEST_F(KeyFileTest, KeysWithoutNamesAreNumberedAndStandBesideTheOthers) {
  Configuration configuration;
  configuration.api_keys = {"a:b", "c"};
  configuration.api_keys_file = Write("alice k requests=3\n");
  configuration.rates = {.requests = 2};
  ASSERT_TRUE(Complete(configuration).ok());
  const auto& keys = configuration.service.api_keys;
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys[0].name, "key-1");
  EXPECT_EQ(keys[0].sha256, http::MakeApiKey("", "a:b").sha256);
  EXPECT_EQ(keys[1].name, "key-2");
  EXPECT_EQ(keys[2].name, "alice");
  EXPECT_EQ(configuration.service.rate_limits.each.requests, 2U);
  EXPECT_EQ(configuration.service.rate_limits.of_keys.at("alice").requests, 3U);

  // Read anew.
  Write("bob l\n");
  const Result<Access> access = ReadAccess(configuration);
  ASSERT_TRUE(access.ok());
  EXPECT_EQ(access->keys.back().name, "bob");
  EXPECT_TRUE(access->limits.of_keys.empty());

  Write("key-2 l\n");
  EXPECT_NE(ReadAccess(configuration).error().message.find("key-2 is what one of"),
            std::string::npos);
}

TEST(AccessConfigurationTest, WhatDoesNotGoTogetherIsNamed) {
  Configuration open;
  open.service.open_routes = {"none", "health"};
  EXPECT_NE(Complete(open).error().message.find("--open-routes: none stands alone"),
            std::string::npos);
  Configuration proxy;
  proxy.trusted_proxies = {"10.0.0.0/8", "10.0.0.0/99"};
  EXPECT_NE(Complete(proxy).error().message.find("got \"10.0.0.0/99\""), std::string::npos);
}

}  // namespace
}  // namespace embedding::app
