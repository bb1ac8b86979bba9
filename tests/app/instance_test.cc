#include "app/instance.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "temp_dir.h"

namespace embedding::app {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class InstanceTest : public testing::Test {
 protected:
  InstanceTest() { ::setenv("XDG_STATE_HOME", directory_.path().c_str(), 1); }
  ~InstanceTest() override { ::unsetenv("XDG_STATE_HOME"); }

  TempDir directory_;
};

TEST_F(InstanceTest, OnlyItsUserCanEnterTheFolder) {
  const std::filesystem::path folder = directory_.File("embedding-service");
  std::filesystem::create_directory(folder);
  std::filesystem::permissions(folder, std::filesystem::perms::all);
  ASSERT_TRUE(Instance::Of("a").ok());
  struct stat status {};
  ASSERT_EQ(::stat(folder.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700U);
}

TEST_F(InstanceTest, ANameIsNoPath) {
  for (const char* name : {"", ".", "..", "../a", "a/b", "-a", "a b", "\xFF"}) {
    const Result<Instance> instance = Instance::Of(name);
    ASSERT_FALSE(instance.ok()) << name;
    EXPECT_EQ(instance.error().code, ErrorCode::kInvalidArgument);
  }
  EXPECT_TRUE(Instance::Of("a.b-c_8001").ok());
}

TEST_F(InstanceTest, ARecordIsReadAsItWasWritten) {
  const Result<Instance> instance = Instance::Of("a");
  ASSERT_TRUE(instance.ok());
  Result<std::optional<InstanceRecord>> none = instance->Read();
  ASSERT_TRUE(none.ok());
  EXPECT_FALSE(none->has_value());
  EXPECT_FALSE(instance->Runs());

  Result<std::optional<FileDescriptor>> lock = LockFile(instance->RecordPath());
  ASSERT_TRUE(lock.ok() && lock->has_value());
  InstanceRecord record{.pid = 4711,
                        .url = "http://127.0.0.1:8001",
                        .model = "a \"model\"",
                        .log_file = "/tmp/a.log",
                        .started = 1700000000,
                        .shutdown_timeout_s = 30,
                        .directory = "/",
                        .arguments = {"--model=a", "--port=1"},
                        .environment = {"EMBEDDING_SERVICE_HOST=::1"}};
  ASSERT_TRUE(WriteRecord((*lock)->get(), record).ok());
  record.arguments.pop_back();  // shorter than what is there
  ASSERT_TRUE(WriteRecord((*lock)->get(), record).ok());

  const Result<std::optional<InstanceRecord>> read = instance->Read();
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->pid, 4711);
  EXPECT_EQ((*read)->model, "a \"model\"");
  EXPECT_THAT((*read)->arguments, ElementsAre("--model=a"));
  EXPECT_THAT((*read)->environment, ElementsAre("EMBEDDING_SERVICE_HOST=::1"));
  EXPECT_THAT(Instance::Names(), ElementsAre("a"));
  EXPECT_TRUE(instance->Runs());
}

TEST_F(InstanceTest, AServerWritesItsUrlIntoItsOwnRecord) {
  const Result<Instance> instance = Instance::Of("a");
  ASSERT_TRUE(instance.ok());
  const Result<std::optional<FileDescriptor>> lock = LockFile(instance->SuccessorPath());
  ASSERT_TRUE(lock.ok() && lock->has_value());
  ASSERT_TRUE(WriteRecord((*lock)->get(), {.pid = 4711, .arguments = {"--port=1"}}).ok());
  ASSERT_TRUE(WriteUrl((*lock)->get(), instance->Base(), "http://127.0.0.1:1").ok());
  const auto read = ReadRecord(instance->SuccessorPath());
  ASSERT_TRUE(read.ok() && read->has_value());
  EXPECT_EQ((*read)->pid, 4711);
  EXPECT_EQ((*read)->url, "http://127.0.0.1:1");
  EXPECT_THAT((*read)->arguments, ElementsAre("--port=1"));
}

TEST_F(InstanceTest, AFileThatIsNoRecordOfTheInstanceIsLetBe) {
  const Result<Instance> instance = Instance::Of("a");
  ASSERT_TRUE(instance.ok());
  const std::string path = directory_.File("foreign");
  const Result<std::optional<FileDescriptor>> foreign = LockFile(path);
  ASSERT_TRUE(foreign.ok() && foreign->has_value());
  EXPECT_FALSE(WriteUrl((*foreign)->get(), instance->Base(), "http://127.0.0.1:1").ok());
  EXPECT_EQ(std::filesystem::file_size(path), 0U);
  EXPECT_FALSE(WriteUrl(-1, instance->Base(), "http://127.0.0.1:1").ok());
}

TEST_F(InstanceTest, OneHasTheLock) {
  const Result<Instance> instance = Instance::Of("a");
  ASSERT_TRUE(instance.ok());
  {
    Result<std::optional<FileDescriptor>> first = LockFile(instance->RecordPath());
    ASSERT_TRUE(first.ok() && first->has_value());
    Result<std::optional<FileDescriptor>> second = LockFile(instance->RecordPath());
    ASSERT_TRUE(second.ok());
    EXPECT_FALSE(second->has_value());
    EXPECT_TRUE(instance->Runs());
  }
  EXPECT_FALSE(instance->Runs());
  Result<std::optional<FileDescriptor>> third = LockFile(instance->RecordPath());
  ASSERT_TRUE(third.ok());
  EXPECT_TRUE(third->has_value());
}

TEST_F(InstanceTest, ADamagedRecordIsNamed) {
  const Result<Instance> instance = Instance::Of("a");
  ASSERT_TRUE(instance.ok());
  std::ofstream(instance->RecordPath()) << "{\"pid\":";
  const Result<std::optional<InstanceRecord>> read = instance->Read();
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("damaged"));
}

}  // namespace
}  // namespace embedding::app
