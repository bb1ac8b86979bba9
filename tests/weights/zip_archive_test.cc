#include "weights/zip_archive.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "weights/builders.h"
#include "weights/little_endian.h"

namespace embedding {
namespace {

using testing::HasSubstr;

std::string ErrorOf(const std::string& file) {
  const auto entries = ReadZip(AsBytes(file));
  EXPECT_FALSE(entries.ok());
  return entries.ok() ? "" : entries.error().message;
}

void ExpectTwoEntries(const std::string& file) {
  const auto entries = ReadZip(AsBytes(file));
  ASSERT_TRUE(entries.ok()) << entries.error().message;
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_EQ((*entries)[0].name, "b/one");
  EXPECT_EQ(AsText((*entries)[0].bytes), "first");
  EXPECT_EQ((*entries)[1].name, "a/two");
  EXPECT_EQ(AsText((*entries)[1].bytes), "");
}

const std::vector<ZipPart> kTwoParts = {{"b/one", "first"}, {"a/two", ""}};

// Overwrites bytes of `file` counted from its end.
std::string PatchedAtEnd(std::string file, size_t from_end, std::string_view bytes) {
  return file.replace(file.size() - from_end, bytes.size(), bytes);
}

TEST(ZipArchiveTest, ReadsStoredEntriesInOrder) {
  ExpectTwoEntries(Zip(kTwoParts));
  ExpectTwoEntries(Zip(kTwoParts, {.comment = "PK\5\6 is not the end record"}));
  const std::string empty = Zip({});
  ASSERT_TRUE(ReadZip(AsBytes(empty)).ok());
  EXPECT_TRUE(ReadZip(AsBytes(empty))->empty());
}

TEST(ZipArchiveTest, ReadsZip64) {
  ExpectTwoEntries(Zip(kTwoParts, {.zip64_end = true}));
  ExpectTwoEntries(Zip({{.name = "b/one", .content = "first", .zip64 = true},
                        {.name = "a/two", .content = "", .zip64 = true}},
                       {.zip64_end = true}));
}

TEST(ZipArchiveTest, RefusesWhatIsNotAnArchive) {
  EXPECT_THAT(ErrorOf(""), HasSubstr("no end record"));
  EXPECT_THAT(ErrorOf("PK\5\6"), HasSubstr("no end record"));
  EXPECT_THAT(ErrorOf(std::string(200'000, 'x')), HasSubstr("no end record"));
}

TEST(ZipArchiveTest, RefusesWhatItCannotUseInPlace) {
  EXPECT_THAT(ErrorOf(Zip({{.name = "a", .content = "x", .method = 8}})),
              HasSubstr("\"a\" is compressed (method 8)"));
  EXPECT_THAT(ErrorOf(Zip({{.name = "a", .content = "x", .flags = 1}})),
              HasSubstr("\"a\" is encrypted"));
}

TEST(ZipArchiveTest, RefusesEntriesOutsideTheFileOrOverlapping) {
  EXPECT_THAT(ErrorOf(Zip({{.name = "a", .content = "x", .size_in_directory = 1000}})),
              HasSubstr("reach past the end"));
  EXPECT_THAT(ErrorOf(Zip({{.name = "a", .content = "x", .offset_in_directory = 1000}})),
              HasSubstr("past the end"));
  EXPECT_THAT(
      ErrorOf(Zip({{.name = "a", .content = "x", .offset_in_directory = INT64_MAX, .zip64 = true}},
                  {.zip64_end = true})),
      HasSubstr("past the end"));
  EXPECT_THAT(
      ErrorOf(Zip({{.name = "a", .content = "x", .size_in_directory = INT64_MAX, .zip64 = true}},
                  {.zip64_end = true})),
      HasSubstr("reach past the end"));
  // The content of "a" is a whole local entry "b".
  const std::string inner = Zip({{"b", "xyz"}});
  EXPECT_THAT(
      ErrorOf(Zip({{"a", inner}, {.name = "b", .content = "xyz", .offset_in_directory = 31}})),
      HasSubstr("\"a\" and \"b\" overlap"));
}

TEST(ZipArchiveTest, RefusesContradictions) {
  EXPECT_THAT(ErrorOf(Zip({{.name = "a", .content = "x", .name_in_local_header = "b"}})),
              HasSubstr("\"a\": its local header contradicts"));
  EXPECT_THAT(ErrorOf(Zip({{"a", "x"}, {"b", "y"}, {"a", "z"}})),
              HasSubstr("\"a\" is there twice"));
  EXPECT_THAT(ErrorOf(Zip(kTwoParts, {.entries_announced = 3})), HasSubstr("announces 3 entries"));
  EXPECT_THAT(ErrorOf(Zip(kTwoParts, {.entries_announced = 1})), HasSubstr("announces 1 entries"));

  std::string file = Zip({{"a", "x"}});
  file[0] = 'Q';
  EXPECT_THAT(ErrorOf(file), HasSubstr("no local header"));
  file = Zip({{"a", "x"}});
  file[8] = 8;  // the local header's method
  EXPECT_THAT(ErrorOf(file), HasSubstr("contradicts"));
  file = Zip({{"a", "x"}});
  file[18] = 2;  // the local header's size
  EXPECT_THAT(ErrorOf(file), HasSubstr("contradicts"));
  file = Zip({{"a", "x"}});
  file[31 + 1 + 20] = 2;  // one of the two sizes in the central directory
  EXPECT_THAT(ErrorOf(file), HasSubstr("two sizes differ"));
}

TEST(ZipArchiveTest, RefusesADamagedEnd) {
  const std::string good = Zip(kTwoParts);
  EXPECT_THAT(ErrorOf(PatchedAtEnd(good, 18, "\1")), HasSubstr("several files"));
  EXPECT_THAT(ErrorOf(PatchedAtEnd(good, 6, "\xFF\xFF\xFF\x7F")), HasSubstr("not where the end"));
  EXPECT_THAT(ErrorOf(PatchedAtEnd(good, 10, "\1\0\0\0")), HasSubstr("not where the end"));
  // Bytes before the archive move everything.
  EXPECT_THAT(ErrorOf("junk" + good), HasSubstr("not where the end"));

  const std::string zip64 = Zip(kTwoParts, {.zip64_end = true});
  EXPECT_THAT(ErrorOf(PatchedAtEnd(zip64, 22 + 12, std::string(8, '\xFF'))),
              HasSubstr("does not point to"));
  EXPECT_THAT(ErrorOf(PatchedAtEnd(zip64, 22 + 20 + 8, std::string(8, '\xFF'))),
              HasSubstr("not where the end"));
  EXPECT_THAT(ErrorOf(PatchedAtEnd(zip64, 6, "\1\0\0\0")), HasSubstr("contradict each other"));
}

TEST(ZipArchiveTest, RefusesADamagedExtraField) {
  std::string file = Zip({{.name = "a", .content = "x", .zip64 = true}}, {.zip64_end = true});
  const size_t extra = file.find("PK\1\2") + 46 + 1;
  file[extra] = 2;  // another kind of field
  EXPECT_THAT(ErrorOf(file), HasSubstr("zip64 sizes are missing"));
  file[extra + 2] = 25;  // longer than the record
  EXPECT_THAT(ErrorOf(file), HasSubstr("extra field is damaged"));
}

}  // namespace
}  // namespace embedding
