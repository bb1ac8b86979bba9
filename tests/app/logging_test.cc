#include "app/logging.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "temp_dir.h"

namespace embedding::app {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::SizeIs;

constexpr char kTime[] = "[0-9]+-[0-9]+-[0-9]+T[0-9]+:[0-9]+:[0-9]+[.][0-9][0-9][0-9]Z";

class LoggingTest : public testing::Test {
 protected:
  std::vector<std::string> Lines() const {
    std::ifstream file(path_);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  void Start(LoggingOptions options) {
    options.file = path_;
    ASSERT_TRUE(StartLogging(options).ok());
  }

  // Nothing of it is to be written to when the next test begins.
  ~LoggingTest() override { (void)StartLogging({}); }

  TempDir directory_;
  const std::string path_ = directory_.File("server.log");
};

TEST_F(LoggingTest, TextHasTimeAndLevel) {
  Start({});
  spdlog::warn("a {}", "message");
  EXPECT_THAT(Lines(), ElementsAre(MatchesRegex("\\[.*\\] \\[embedding-service\\] \\[warning\\] "
                                                "a message")));
}

TEST_F(LoggingTest, JsonIsEscaped) {
  Start({.format = "json"});
  spdlog::info("{}", "quote \" slash \\ tab \t new\nline \xFF");
  EXPECT_THAT(Lines(), ElementsAre(AllOf(
                           MatchesRegex(std::string("[{]\"time\":\"") + kTime + "\",.*"),
                           EndsWith("\"level\":\"info\",\"message\":\"quote \\\" slash \\\\ tab "
                                    "\\t new\\nline \xEF\xBF\xBD\"}"))));
}

TEST_F(LoggingTest, AccessIsAMessageOfItsOwn) {
  Start({.level = "error"});
  spdlog::get(kAccessLogger)->info("GET / 200");
  EXPECT_THAT(Lines(), ElementsAre(MatchesRegex("\\[[^]]*\\] GET / 200")));
}

TEST_F(LoggingTest, AccessIsMembersOfAnObject) {
  Start({.level = "error", .format = "json"});
  spdlog::get(kAccessLogger)->info(R"("status":200,"route":"/")");
  EXPECT_THAT(Lines(), ElementsAre(MatchesRegex(std::string("[{]\"time\":\"") + kTime +
                                                "\",\"status\":200,\"route\":\"/\"}")));
}

TEST_F(LoggingTest, TheLevelCanBeSetLater) {
  Start({.level = "error"});
  spdlog::info("not seen");
  SetLogLevel("debug");
  spdlog::debug("seen");
  SetLogLevel("warn");
  spdlog::info("not seen");
  EXPECT_THAT(Lines(), ElementsAre(HasSubstr("] seen")));
}

TEST_F(LoggingTest, FullFilesArePutAside) {
  Start({.file_bytes = 1000, .files = 2});
  for (int i = 0; i < 100; ++i) spdlog::info("{:0100}", i);
  EXPECT_TRUE(std::filesystem::exists(RotatedName(path_, 1)));
  EXPECT_TRUE(std::filesystem::exists(RotatedName(path_, 2)));
  EXPECT_FALSE(std::filesystem::exists(RotatedName(path_, 3)));
  EXPECT_EQ(RotatedName("/a/b.log", 2), "/a/b.2.log");
  EXPECT_LE(std::filesystem::file_size(path_), 1000U);
  EXPECT_THAT(Lines().back(), EndsWith("99"));
}

TEST_F(LoggingTest, WhatALibrarySaysIsInTheFileThatIsTheLogNow) {
  Start({.file_bytes = 1000, .files = 2});
  const int out = ::dup(STDOUT_FILENO);
  const int error = ::dup(STDERR_FILENO);
  LeaveStandardStreams();
  for (int i = 0; i < 100; ++i) spdlog::info("{:0100}", i);
  (void)std::fputs("a library's words\n", stderr);
  (void)std::fputs("and more\n", stdout);
  (void)std::fflush(stdout);
  (void)::dup2(out, STDOUT_FILENO);
  (void)::dup2(error, STDERR_FILENO);
  ::close(out);
  ::close(error);
  ASSERT_THAT(Lines(), SizeIs(testing::Gt(3)));
  EXPECT_EQ(Lines().end()[-2], "a library's words");
  EXPECT_EQ(Lines().back(), "and more");
}

TEST_F(LoggingTest, WhatIsPrintedIsInTheFileLineByLine) {
  Start({.format = "json"});
  Print("one\ntwo");
  PrintError("three");
  ASSERT_THAT(Lines(), SizeIs(3));
  EXPECT_THAT(Lines()[0], HasSubstr(R"("message":"one")"));
  EXPECT_THAT(Lines()[1], HasSubstr(R"("message":"two")"));
  EXPECT_THAT(Lines()[2], HasSubstr(R"("level":"error","message":"three")"));
}

TEST(Logging, AFileThatCannotBeOpenedIsNamed) {
  const Status started = StartLogging({.file = "/proc/nope/server.log"});
  ASSERT_FALSE(started.ok());
  EXPECT_THAT(started.error().message, HasSubstr("--log-file: \"/proc/nope/server.log\""));
}

TEST(Logging, AFullDiskIsToldOnceAndThrowsNothing) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "this system has no /dev/full";
  testing::internal::CaptureStderr();
  ASSERT_TRUE(StartLogging({.file = "/dev/full"}).ok());
  for (int i = 0; i < 3; ++i) spdlog::info("lost");
  (void)StartLogging({});
  const std::string told = testing::internal::GetCapturedStderr();
  const std::string what = "the log cannot be written";
  ASSERT_THAT(told, HasSubstr(what));
  EXPECT_EQ(told.find(what), told.rfind(what));
}

}  // namespace
}  // namespace embedding::app
