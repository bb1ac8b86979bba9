// What a user of the cache relies on when the network, the server or another process is no help.
#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>

#include "download_fixture.h"
#include "hub/file_sha256.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// What is logged during its life.
class Log {
 public:
  Log() {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(text_)));
  }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;
  ~Log() { spdlog::set_default_logger(before_); }

  std::string text() const { return text_.str(); }

 private:
  std::ostringstream text_;
  std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

// --- a network that fails ---

TEST_F(DownloadTest, GoesOnWhereAConnectionBroke) {
  ServeModel({{"cut", {{"model.safetensors", {100000, 50000, 1}}}}});
  ExpectDownloadedWhole();
  std::vector<std::string> ranges;
  for (const json& request : Transfers("model.safetensors")) ranges.push_back(request["range"]);
  EXPECT_THAT(ranges, testing::ElementsAre("", "bytes=100000-", "bytes=150000-", "bytes=150001-"));
}

TEST_F(DownloadTest, GoesOnWhereAProcessEnded) {
  ServeModel();
  const std::string weights = Noise(512 << 10);
  WriteFile(directory_ / "whole", weights);
  const std::string etag = *Sha256OfFile((directory_ / "whole").string());
  WriteFile(Cache() / "blobs" / (etag + ".incomplete"), weights.substr(0, 400000));
  ExpectDownloadedWhole();
  ASSERT_THAT(Transfers("model.safetensors"), SizeIs(1));
  EXPECT_EQ(Transfers("model.safetensors")[0]["range"], "bytes=400000-");
}

TEST_F(DownloadTest, StartsOverWhereTheServerHasNoRanges) {
  ServeModel({{"cut", {{"model.safetensors", {100000}}}}, {"ignore_range", true}});
  ExpectDownloadedWhole();
}

TEST_F(DownloadTest, SmallFilesAreNotPiecedTogether) {
  ServeModel({{"cut", {{"config.json", {5}}}}});
  ExpectDownloadedWhole();
  ASSERT_THAT(Transfers("config.json"), SizeIs(2));
  for (const json& request : Transfers("config.json")) EXPECT_EQ(request["range"], "");
}

TEST_F(DownloadTest, GivesUpOnAServerThatAlwaysBreaksOff) {
  ServeModel({{"cut", {{"model.safetensors", {0, 0, 0, 0, 0, 0, 0, 0}}}}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("broke off"));
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(4));
  EXPECT_FALSE(LocateModel("acme/tiny").ok());
}

TEST_F(DownloadTest, DoesNotWaitForAServerThatHasGoneSilent) {
  AddModel();
  const Log log;
  setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1", 1);
  StartHub({{"stall", {{"model.safetensors", 1000}}}});
  ExpectDownloadedWhole();
  EXPECT_EQ(Transfers("model.safetensors").back()["range"], "bytes=1000-");
  EXPECT_THAT(log.text(), HasSubstr("the server sent nothing for 1 s; trying again (2 of 4)"));
}

TEST_F(DownloadTest, TriesAgainAfterServerErrors) {
  ServeModel({{"fail_first", 2}});
  ExpectDownloadedWhole();
}

TEST_F(DownloadTest, SaysSoWhenNobodyAnswers) {
  StartHub();
  StopHub();
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("127.0.0.1"), HasSubstr("cannot be reached")));
  EXPECT_FALSE(fs::exists(Cache()));
}

TEST_F(DownloadTest, LogsEveryNewAttempt) {
  const Log log;
  ServeModel({{"fail_first", 2}});
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
  EXPECT_THAT(log.text(), AllOf(HasSubstr("asking http://127.0.0.1:"), HasSubstr("for acme/tiny"),
                                HasSubstr("status 503; trying again (2 of 4)"),
                                HasSubstr("trying again (3 of 4)"), Not(HasSubstr("(4 of 4)"))));
}

// --- a server that refuses, or lies ---

TEST_F(DownloadTest, RefusesContentsOfTheWrongSum) {
  ServeModel({{"corrupt", {"model.safetensors"}}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("SHA-256"), HasSubstr("try again")));
  EXPECT_FALSE(LocateModel("acme/tiny").ok());
  EXPECT_THAT(Leftovers(), IsEmpty());

  StartHub();
  ExpectDownloadedWhole();
}

TEST_F(DownloadTest, TellsWhatIsMissing) {
  ServeModel();
  EXPECT_THAT(ErrorOf(DownloadModel("acme/other")), HasSubstr("has no model acme/other"));
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny", "v9")), HasSubstr("acme/tiny has no revision v9"));
  AddFile("README.md", "nothing else", "acme/empty");
  EXPECT_THAT(ErrorOf(DownloadModel("acme/empty"), ErrorCode::kModelLoad),
              AllOf(HasSubstr("acme/empty"), HasSubstr("config.json")));
}

TEST_F(DownloadTest, RefusesFileNamesThatLeaveTheirFolder) {
  for (const char* name : {"../../../evil.json", "/etc/evil.json", "1_Pooling/../../config.json",
                           "..", "1_Pooling\\..\\config.json"}) {
    ServeModel({{"extra_names", {name}}});
    EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("leaves its folder")) << name;
    EXPECT_FALSE(fs::exists(Cache())) << name;
  }
}

TEST_F(DownloadTest, RefusesEtagsThatLeaveTheirFolder) {
  ServeModel({{"etag", "../../evil"}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("ETag"));
  EXPECT_THAT(fs::directory_iterator(Cache() / "blobs"), testing::Eq(fs::directory_iterator()));
}

TEST_F(DownloadTest, LeavesACircleOfRedirects) {
  ServeModel({{"redirect_loop", true}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("circle"));
}

// --- others at work ---

TEST_F(DownloadTest, TwoProcessesShareTheWork) {
  ServeModel({{"cut", {{"model.safetensors", {1000, 1000, 1000}}}}});
  std::vector<pid_t> children;
  for (int i = 0; i < 2; ++i) {
    const pid_t child = fork();
    if (child == 0) _exit(DownloadModel("acme/tiny").ok() ? 0 : 1);
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
  }
  ExpectWhole();
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(4)) << "three that were cut, one for the rest";
}

TEST_F(DownloadTest, ReportsADirectoryItCannotWriteTo) {
  ServeModel();
  WriteFile(directory_ / "home/hub", "a file where the directory should be");
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("cannot be created"));
}

}  // namespace
}  // namespace embedding
