#include "app/configuration.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "app/cache.h"
#include "test_data.h"

namespace embedding::app {
namespace {

// The error that a configuration is refused with; empty if it is complete.
Error Refused(Configuration configuration) {
  const Status status = Complete(configuration);
  return status.ok() ? Error{ErrorCode::kInternal, "", ""} : status.error();
}

TEST(ConfigurationTest, WhatNobodySaysFollowsFromWhatSomebodyDoes) {
  Configuration plain;
  ASSERT_TRUE(Complete(plain).ok());
  EXPECT_EQ(plain.engine.max_queue, 4096U);
  EXPECT_EQ(plain.service.max_queue, 4096U);
  EXPECT_EQ(plain.server.payload_limit_bytes, 49'152'000U);
  EXPECT_EQ(plain.server.bodies_limit_bytes, 64'000'000U);
  EXPECT_EQ(plain.service.reading_limit_bytes, 256'000'000U);
  EXPECT_EQ(plain.service.model_name, "BAAI/bge-m3");

  Configuration large;
  large.service.max_client_batch_size = 4000;
  ASSERT_TRUE(Complete(large).ok());
  EXPECT_EQ(large.engine.max_queue, 8000U);
  EXPECT_EQ(large.server.payload_limit_bytes, 96'000'000U);
  EXPECT_EQ(large.server.bodies_limit_bytes, 288'000'000U);
  EXPECT_EQ(large.service.reading_limit_bytes, 1'152'000'000U);

  Configuration beyond;
  beyond.service.max_client_batch_size = 1'000'000;
  ASSERT_TRUE(Complete(beyond).ok());
  EXPECT_EQ(beyond.server.payload_limit_bytes, 200'000'000U);
}

TEST(ConfigurationTest, WhatIsSaidHolds) {
  Configuration said;
  said.max_queue = 10;
  said.payload_limit_bytes = 1000;
  said.service.max_client_batch_size = 10;
  ASSERT_TRUE(Complete(said).ok());
  EXPECT_EQ(said.engine.max_queue, 10U);
  EXPECT_EQ(said.service.max_queue, 10U);
  EXPECT_EQ(said.server.payload_limit_bytes, 1000U);
}

TEST(ConfigurationTest, WhatDoesNotGoTogetherIsNamed) {
  Configuration twice;
  twice.models = {"a/b", "a/b"};
  EXPECT_EQ(Refused(twice).code, ErrorCode::kInvalidArgument);
  EXPECT_NE(Refused(twice).message.find("twice"), std::string::npos);

  Configuration same_name;
  same_name.models = {TestData("tiny-bge-m3"), TestData("../data/tiny-bge-m3")};
  EXPECT_EQ(Refused(same_name).code, ErrorCode::kInvalidArgument);
  EXPECT_NE(Refused(same_name).message.find("both be called"), std::string::npos);

  Configuration origin;
  origin.service.cors_origins = {"https://a.example/"};
  EXPECT_NE(Refused(origin).message.find("--cors-origin"), std::string::npos);

  Configuration batch;
  batch.max_queue = 9;
  batch.service.max_client_batch_size = 10;
  EXPECT_NE(Refused(batch).message.find("--max-queue"), std::string::npos);

  Configuration device;
  device.engine.device.device = "tpu";
  EXPECT_EQ(Refused(device).code, ErrorCode::kDeviceUnavailable);
}

TEST(ConfigurationTest, ADirectoryIsCalledByItsLastPart) {
  EXPECT_EQ(DisplayName("BAAI/bge-m3"), "BAAI/bge-m3");
  EXPECT_EQ(DisplayName(TestData("tiny-bge-m3")), "tiny-bge-m3");
}

TEST(CacheOption, TakesSizesAndRedis) {
  for (const char* right : {"0", "65536", "64MB", "1GB", "512MiB", "redis://h", "redis://:p@h:1/2"})
    EXPECT_TRUE(CheckCache(right).ok()) << right;
  for (const char* wrong : {"", "64 MB", "-1", "1.5GB", "64mb", "MB", "99999999GB", "memory",
                            "http://h", "redis://", "redis://u@h", "18446744073709551616"})
    EXPECT_FALSE(CheckCache(wrong).ok()) << wrong;
  for (const char* wrong : {"redi://u:hunter2@h", "redis://u:hunter2@h:x", "redis://hunter2@h"})
    EXPECT_EQ(CheckCache(wrong).error().message.find("hunter2"), std::string::npos) << wrong;
}

TEST(CacheOption, OneOfEachIsTaken) {
  Configuration two;
  two.cache = {"1GB", "redis://h"};
  EXPECT_TRUE(Complete(two).ok());
  two.cache = {"1GB", "2GB"};
  EXPECT_EQ(Refused(two).message.find("--cache: "), 0U);
  two.cache = {"redis://u:hunter2@h", "redis://h"};
  EXPECT_EQ(Refused(two).code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(Refused(two).message.find("hunter2"), std::string::npos);
}

TEST(CacheOption, ASizeOfNoneIsNoCache) {
  Configuration options;
  EXPECT_EQ(OpenCache(options, 2)->stats().front().limit_bytes, 64'000'000U);
  options.cache = {"1MiB"};
  EXPECT_EQ(OpenCache(options, 2)->stats().front().limit_bytes, size_t{1} << 20);
  EXPECT_EQ(ThreadsOfCache(options), 0);
  options.cache = {"0"};
  EXPECT_EQ(OpenCache(options, 2), nullptr);
}

}  // namespace
}  // namespace embedding::app
