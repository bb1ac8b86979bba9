#include "redis/redis_address.h"

#include <gtest/gtest.h>

#include <string>

namespace embedding {
namespace {

TEST(RedisAddress, UrlsAreReadAsRedisClientsReadThem) {
  const auto plain = ParseRedisUrl("redis://cache.local");
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ(plain->host, "cache.local");
  EXPECT_EQ(plain->port, 6379);
  EXPECT_EQ(plain->database, 0);
  EXPECT_EQ(plain->password, "");
  const auto full = ParseRedisUrl("redis://app:p%40ss%2Fw:rd%25@[::1]:7000/3");
  ASSERT_TRUE(full.ok()) << full.error().message;
  EXPECT_EQ(full->host, "::1");
  EXPECT_EQ(full->port, 7000);
  EXPECT_EQ(full->database, 3);
  EXPECT_EQ(full->user, "app");
  EXPECT_EQ(full->password, "p@ss/w:rd%");
  const auto no_user = ParseRedisUrl("redis://:a/b@h@host/");
  ASSERT_TRUE(no_user.ok());
  EXPECT_EQ(no_user->user, "");
  EXPECT_EQ(no_user->password, "a/b@h");
  EXPECT_EQ(no_user->host, "host");
}

TEST(RedisAddress, NobodySeesThePassword) {
  EXPECT_EQ(ParseRedisUrl("redis://app:hunter2@[::1]:7000/3")->Shown(), "redis://[::1]:7000/3");
  for (const std::string wrong :
       {"redis://hunter2@host", "redis://:hunter2%zz@host", "redis://:hunter2@host:port",
        "redis://user:hunter2", "redis://:hunter2", "redis://host/hunter2", "redis://:hunter2@",
        "redis://:hunter2@host:0", "redis://:hunter2@host/-1", "redis://:hunter2@[::1"}) {
    const auto address = ParseRedisUrl(wrong);
    ASSERT_FALSE(address.ok()) << wrong;
    EXPECT_EQ(address.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(address.error().message.find("hunter2"), std::string::npos)
        << address.error().message;
  }
}

TEST(RedisAddress, OtherTextsAreNone) {
  EXPECT_TRUE(IsRedisUrl("redis://h"));
  EXPECT_TRUE(IsRedisUrl("rediss://h"));
  EXPECT_FALSE(IsRedisUrl("64MB"));
  EXPECT_FALSE(IsRedisUrl("http://h"));
  EXPECT_FALSE(ParseRedisUrl("redis://").ok());
  EXPECT_FALSE(ParseRedisUrl("redis://a b").ok());
}

}  // namespace
}  // namespace embedding
