// What is believed of the head of a server's answer.
#include "hub/hub_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace embedding {
namespace {

using testing::HasSubstr;

HttpResponse Head(int status, const std::vector<std::string_view>& lines) {
  HttpResponse head;
  head.status = status;
  for (const std::string_view line : lines) head.AddHeadLine(line);
  return head;
}

Result<RemoteFile> Parse(const HttpResponse& head) {
  return ParseFileHead(head, {.name = "a", .url = "https://hub/a", .etag = ""});
}

std::string ErrorOf(const std::vector<std::string_view>& lines) {
  const Result<RemoteFile> file = Parse(Head(200, lines));
  EXPECT_FALSE(file.ok()) << lines[0];
  if (file.ok()) return "";
  EXPECT_EQ(file.error().code, ErrorCode::kDownload);
  return file.error().message;
}

TEST(HubApi, ReadsTheHeadOfASmallFile) {
  const auto file = Parse(
      Head(200, {"HTTP/1.1 100 Continue\r\n", "etag: \"old\"\r\n", "\r\n", "HTTP/1.1 200 OK\r\n",
                 "ETag: W/\"abc-1\"\r\n", "Content-Length:  12 \r\n", "no colon\r\n", "\r\n"}));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->etag, "abc-1");
  EXPECT_EQ(file->size_bytes, 12U);
}

TEST(HubApi, TheHeadOfALargeFileSaysWhatWillBeFoundElsewhere) {
  const auto file = Parse(Head(302, {"etag: \"other\"\r\n", "x-linked-etag: \"abc\"\r\n",
                                     "x-linked-size: 5000000000\r\n", "content-length: 7\r\n"}));
  ASSERT_TRUE(file.ok()) << file.error().message;
  EXPECT_EQ(file->etag, "abc");
  EXPECT_EQ(file->size_bytes, 5000000000U);
}

TEST(HubApi, RefusesSizesThatNoFileHas) {
  // Sizes are added up: two of the last would make 2^64 - 2 of them 0.
  for (const char* size : {"content-length: -1", "content-length: 1.5", "content-length: 12x",
                           "content-length:", "content-length: 99999999999999999999"}) {
    EXPECT_THAT(ErrorOf({"etag: a", size}), HasSubstr("does not say how large it is")) << size;
  }
  for (const char* size :
       {"x-linked-size: 18446744073709551615", "x-linked-size: 17592186044417"}) {
    EXPECT_THAT(ErrorOf({"etag: a", size}), HasSubstr("which no file has")) << size;
  }
}

TEST(HubApi, RefusesEtagsThatAreNoFilesNames) {
  for (const char* etag : {"etag: ../x", "etag: .x", "etag: x.", "etag: a/b", "etag:", "etag: a b",
                           "etag: \"a\\b\"", "etag: .."}) {
    EXPECT_THAT(ErrorOf({etag, "content-length: 1"}), HasSubstr("cannot be a file's name")) << etag;
  }
}

TEST(HubApi, AListingThatIsNoneIsTheHubsFault) {
  for (const char* listing : {"<html>", "[]", "{}", R"({"sha":"main","siblings":[]})",
                              R"({"sha":"0123456789012345678901234567890123456789"})"}) {
    const Result<Repository> repository = ParseListing(listing);
    ASSERT_FALSE(repository.ok()) << listing;
    EXPECT_EQ(repository.error().code, ErrorCode::kDownload) << listing;
  }
}

}  // namespace
}  // namespace embedding
