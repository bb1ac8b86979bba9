#include "base/mapped_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <fstream>

namespace embedding {
namespace {

using testing::HasSubstr;

std::string Write(const std::string& name, const std::string& content) {
  std::string path = testing::TempDir() + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

TEST(MappedFile, GivesTheFilesBytes) {
  const auto file = MappedFile::Open(Write("bytes", "some bytes"));
  ASSERT_TRUE(file.ok());
  ASSERT_EQ(file->bytes().size(), 10U);
  EXPECT_EQ(std::memcmp(file->bytes().data(), "some bytes", 10), 0);
}

TEST(MappedFile, AnEmptyFileHasNoBytes) {
  const auto file = MappedFile::Open(Write("empty", ""));
  ASSERT_TRUE(file.ok());
  EXPECT_TRUE(file->bytes().empty());
}

TEST(MappedFile, KeepsItsBytesWhenMoved) {
  auto file = MappedFile::Open(Write("moved", "abc"));
  ASSERT_TRUE(file.ok());
  const MappedFile moved = *std::move(file);
  EXPECT_EQ(std::memcmp(moved.bytes().data(), "abc", 3), 0);
}

TEST(MappedFile, SaysWhichFileCannotBeOpenedAndWhy) {
  const auto missing = MappedFile::Open("/nowhere/model.safetensors");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kModelLoad);
  EXPECT_THAT(missing.error().message, HasSubstr("/nowhere/model.safetensors"));
  EXPECT_THAT(missing.error().message, HasSubstr("No such file"));
  EXPECT_FALSE(MappedFile::Open(testing::TempDir()).ok());
}

}  // namespace
}  // namespace embedding
