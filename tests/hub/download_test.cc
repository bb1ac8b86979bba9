// What a user of the cache relies on, whatever the server and the network do.
#include "hub/download.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>
#include <sstream>
#include <thread>

#include "fake_hub.h"
#include "hub/sha256.h"
#include "weights/model_locator.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class DownloadTest : public HubTest {
 protected:
  // The error's message; fails if there is none.
  static std::string ErrorOf(const Result<std::string>& result) {
    EXPECT_FALSE(result.ok()) << "unexpectedly fine: " << *result;
    if (result.ok()) return "";
    EXPECT_EQ(result.error().code, ErrorCode::kModelLoad);
    return result.error().message;
  }

  // Every file below `directory` that is not in its place yet.
  std::vector<std::string> Leftovers() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(Cache())) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".tmp") || name.ends_with(".incomplete")) names.push_back(name);
    }
    return names;
  }

  // As a user meets it: found by whoever looks for it, with the right contents.
  void ExpectWhole(const std::vector<std::string>& names) {
    const Result<std::string> located = LocateModel("acme/tiny");
    ASSERT_TRUE(located.ok()) << located.error().message;
    EXPECT_EQ(*located, Snapshot());
    for (const std::string& name : names) {
      EXPECT_EQ(ReadFile(Snapshot() / name), ReadFile(directory_ / "models/acme/tiny" / name))
          << name;
    }
    EXPECT_THAT(Leftovers(), IsEmpty());
  }
  void ExpectWhole() { ExpectWhole({"config.json", "tokenizer.json", "model.safetensors"}); }
};

TEST_F(DownloadTest, FillsTheCacheInTheHubsLayout) {
  AddModel();
  AddFile("1_Pooling/config.json", "{}");
  AddFile("onnx/model.onnx", "not wanted");
  AddFile("README.md", "not wanted");
  StartHub();
  const Result<std::string> directory = DownloadModel("acme/tiny");
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  EXPECT_EQ(*directory, Snapshot());
  ExpectWhole({"config.json", "tokenizer.json", "model.safetensors", "1_Pooling/config.json"});

  EXPECT_EQ(ReadFile(Cache() / "refs/main"), kCommit);
  const fs::path weights = fs::read_symlink(Snapshot() / "model.safetensors");
  EXPECT_EQ(weights.parent_path(), "../../blobs");
  EXPECT_EQ(weights.filename(), *Sha256OfFile((Snapshot() / "model.safetensors").string()));
  // printf 'blob 2\0{}' | sha1sum
  EXPECT_EQ(fs::read_symlink(Snapshot() / "1_Pooling/config.json"),
            "../../../blobs/9e26dfeeb6e641a33dae4961196235bdb965b21b");
  EXPECT_FALSE(fs::exists(Snapshot() / "onnx"));
  EXPECT_FALSE(fs::exists(Snapshot() / "README.md"));
}

TEST_F(DownloadTest, BringsARealModelWhole) {
  fs::create_directories(directory_ / "models/acme");
  fs::copy(TEST_DATA_DIR "/tiny-bge-m3", directory_ / "models/acme/tiny",
           fs::copy_options::recursive);
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(TEST_DATA_DIR "/tiny-bge-m3")) {
    if (entry.is_regular_file())
      names.push_back(fs::relative(entry.path(), TEST_DATA_DIR "/tiny-bge-m3").string());
  }
  ASSERT_THAT(names, SizeIs(testing::Ge(10U)));
  ExpectWhole(names);
}

TEST_F(DownloadTest, BringsEveryShard) {
  AddFile("config.json", "{}");
  AddFile("tokenizer.json", "{}");
  AddFile("model.safetensors.index.json", "{}");
  AddFile("model-00001-of-00002.safetensors", Noise(100));
  AddFile("model-00002-of-00002.safetensors", Noise(200));
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole({"model.safetensors.index.json", "model-00001-of-00002.safetensors",
               "model-00002-of-00002.safetensors"});
}

TEST_F(DownloadTest, TakesEmptyFilesAndEqualFiles) {
  AddModel();
  AddFile("special_tokens_map.json", "");
  AddFile("modules.json", "same");
  AddFile("1_Pooling/config.json", "same");
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole({"special_tokens_map.json", "modules.json", "1_Pooling/config.json"});
}

TEST_F(DownloadTest, FollowsTagsBranchesAndCommits) {
  AddModel();
  StartHub();
  for (const std::string revision : {"v1.0", "refs/pr/1", kCommit}) {
    ASSERT_TRUE(DownloadModel("acme/tiny", revision).ok()) << revision;
    const Result<std::string> located = LocateModel("acme/tiny", revision);
    ASSERT_TRUE(located.ok()) << located.error().message;
    EXPECT_EQ(*located, Snapshot());
  }
  EXPECT_EQ(ReadFile(Cache() / "refs/refs/pr/1"), kCommit);
  EXPECT_FALSE(LocateModel("acme/tiny").ok()) << "main was never asked for";
}

TEST_F(DownloadTest, ReportsProgressOverAllFiles) {
  AddModel();
  StartHub();
  std::set<std::string> files;
  uint64_t done = 0;
  uint64_t total = 0;
  ASSERT_TRUE(DownloadModel("acme/tiny", "main", [&](const DownloadProgress& progress) {
                files.emplace(progress.file);
                EXPECT_GE(progress.done_bytes, done);
                done = progress.done_bytes;
                total = progress.total_bytes;
              }).ok());
  EXPECT_THAT(files,
              testing::UnorderedElementsAre("config.json", "tokenizer.json", "model.safetensors"));
  EXPECT_EQ(done, total);
  EXPECT_GT(total, 512U << 10);
}

TEST_F(DownloadTest, FetchesNothingTwice) {
  AddModel();
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before + 1) << "the listing, and no more";
}

TEST_F(DownloadTest, FetchesOnlyWhatIsMissing) {
  AddModel();
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  fs::remove(Cache() / "blobs" / fs::read_symlink(Snapshot() / "config.json").filename());
  ASSERT_FALSE(LocateModel("acme/tiny").ok());
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
  EXPECT_THAT(Transfers("config.json"), SizeIs(2));
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(1));
}

TEST_F(DownloadTest, MakesNoRequestForAModelThatIsThere) {
  AddModel();
  StartHub();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  EXPECT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before);
  StopHub();
  const Result<std::string> directory = LocateOrDownloadModel("acme/tiny");
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  EXPECT_EQ(*directory, Snapshot());
}

// What is left by Python's AutoModel and AutoTokenizer, which do not care how to pool.
TEST_F(DownloadTest, CompletesWhatAnotherToolLeft) {
  AddModel();
  AddFile("modules.json", "[]");
  AddFile("1_Pooling/config.json", "{}");
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  fs::remove(Snapshot() / "modules.json");
  fs::remove_all(Snapshot() / "1_Pooling");

  StopHub();
  EXPECT_TRUE(LocateOrDownloadModel("acme/tiny").ok()) << "better than nothing";
  StartHub();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  ExpectWhole({"modules.json", "1_Pooling/config.json", "model.safetensors"});
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(1));
}

TEST_F(DownloadTest, NeverTouchesTheNetworkOffline) {
  AddModel();
  StartHub();
  setenv("HF_HUB_OFFLINE", "1", 1);
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/tiny")), HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(Requests(), IsEmpty());

  unsetenv("HF_HUB_OFFLINE");
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  setenv("HF_HUB_OFFLINE", "TRUE", 1);
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before);
}

TEST_F(DownloadTest, NeverTouchesTheNetworkWhereTransformersMayNot) {
  AddModel();
  StartHub();
  setenv("TRANSFORMERS_OFFLINE", "yes", 1);
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/tiny")), HasSubstr("TRANSFORMERS_OFFLINE"));
  EXPECT_THAT(Requests(), IsEmpty());
  setenv("HF_HUB_OFFLINE", "0", 1);  // which wins
  EXPECT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
}

TEST_F(DownloadTest, ANameAloneIsOfSentenceTransformers) {
  const auto add = [this](const std::string& model) {
    AddFile("config.json", "{}", model);
    AddFile("tokenizer.json", "{}", model);
    AddFile("model.safetensors", "weights", model);
  };
  add("sentence-transformers/tiny");
  add("cross-encoder/tiny");
  add("cross-encoder/ranker");
  StartHub();
  const fs::path hub = directory_ / "home/hub";
  for (int time = 1; time <= 2; ++time) {  // downloaded, and found
    const Result<std::string> tiny = LocateOrDownloadModel("tiny");
    ASSERT_TRUE(tiny.ok()) << tiny.error().message;
    EXPECT_EQ(*tiny, hub / "models--sentence-transformers--tiny/snapshots" / kCommit);
    const Result<std::string> ranker = LocateOrDownloadModel("ranker");
    ASSERT_TRUE(ranker.ok()) << ranker.error().message;
    EXPECT_EQ(*ranker, hub / "models--cross-encoder--ranker/snapshots" / kCommit);
    if (time == 1) StopHub();
  }
  StartHub();
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("nothing")),
              HasSubstr("has no model sentence-transformers/nothing"));
}

TEST_F(DownloadTest, TakesAModelWhoseTransformerIsInItsFolder) {
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    AddFile(std::string("0_Transformer/") + name, name);
  }
  AddFile("modules.json", "[]");
  AddFile("1_SpladePooling/config.json", "{}");
  StartHub();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  ExpectWhole({"0_Transformer/config.json", "0_Transformer/tokenizer.json",
               "0_Transformer/model.safetensors", "modules.json", "1_SpladePooling/config.json"});
}

TEST_F(DownloadTest, LogsEveryNewAttempt) {
  std::ostringstream log;
  const auto before = spdlog::default_logger();
  spdlog::set_default_logger(std::make_shared<spdlog::logger>(
      "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log)));
  AddModel();
  StartHub({{"fail_first", 2}});
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
  spdlog::set_default_logger(before);
  EXPECT_THAT(log.str(), AllOf(HasSubstr("asking http://127.0.0.1:"), HasSubstr("for acme/tiny"),
                               HasSubstr("status 503; trying again (2 of 4)"),
                               HasSubstr("trying again (3 of 4)"), Not(HasSubstr("(4 of 4)"))));
}

TEST_F(DownloadTest, DoesNotAskTheHubForWhatIsAPath) {
  StartHub();
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("model.gguf")), HasSubstr("GGUF"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/model.onnx")), HasSubstr("ONNX"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("./acme/tiny")), HasSubstr("no such directory"));
  EXPECT_THAT(ErrorOf(DownloadModel("../acme")), HasSubstr("model id"));
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny", "../main")), HasSubstr("revision"));
  EXPECT_THAT(Requests(), IsEmpty());
}

// --- a network that fails ---

TEST_F(DownloadTest, GoesOnWhereAConnectionBroke) {
  AddModel();
  StartHub({{"cut", {{"model.safetensors", {100000, 50000, 1}}}}});
  const Result<std::string> directory = DownloadModel("acme/tiny");
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  ExpectWhole();
  std::vector<std::string> ranges;
  for (const json& request : Transfers("model.safetensors")) ranges.push_back(request["range"]);
  EXPECT_THAT(ranges, testing::ElementsAre("", "bytes=100000-", "bytes=150000-", "bytes=150001-"));
}

TEST_F(DownloadTest, GoesOnWhereAProcessEnded) {
  AddModel();
  StartHub();
  const std::string weights = Noise(512 << 10);
  WriteFile(directory_ / "whole", weights);
  const std::string etag = *Sha256OfFile((directory_ / "whole").string());
  WriteFile(Cache() / "blobs" / (etag + ".incomplete"), weights.substr(0, 400000));
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
  ASSERT_THAT(Transfers("model.safetensors"), SizeIs(1));
  EXPECT_EQ(Transfers("model.safetensors")[0]["range"], "bytes=400000-");
}

TEST_F(DownloadTest, StartsOverWhereTheServerHasNoRanges) {
  AddModel();
  StartHub({{"cut", {{"model.safetensors", {100000}}}}, {"ignore_range", true}});
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
}

TEST_F(DownloadTest, SmallFilesAreNotPiecedTogether) {
  AddModel();
  StartHub({{"cut", {{"config.json", {5}}}}});
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
  ASSERT_THAT(Transfers("config.json"), SizeIs(2));
  for (const json& request : Transfers("config.json")) EXPECT_EQ(request["range"], "");
}

TEST_F(DownloadTest, GivesUpOnAServerThatAlwaysBreaksOff) {
  AddModel();
  StartHub({{"cut", {{"model.safetensors", {0, 0, 0, 0, 0, 0, 0, 0}}}}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("broke off"));
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(4));
  EXPECT_FALSE(LocateModel("acme/tiny").ok());
}

TEST_F(DownloadTest, DoesNotWaitForAServerThatHasGoneSilent) {
  AddModel();
  setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1", 1);
  StartHub({{"stall", {{"model.safetensors", 1000}}}});
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
  EXPECT_EQ(Transfers("model.safetensors").back()["range"], "bytes=1000-");
}

TEST_F(DownloadTest, TriesAgainAfterServerErrors) {
  AddModel();
  StartHub({{"fail_first", 2}});
  const Result<std::string> directory = DownloadModel("acme/tiny");
  ASSERT_TRUE(directory.ok()) << directory.error().message;
  ExpectWhole();
}

TEST_F(DownloadTest, SaysSoWhenNobodyAnswers) {
  StartHub();
  StopHub();
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("127.0.0.1"), HasSubstr("cannot be reached")));
  EXPECT_FALSE(fs::exists(Cache()));
}

// --- a server that refuses, or lies ---

TEST_F(DownloadTest, RefusesContentsOfTheWrongSum) {
  AddModel();
  StartHub({{"corrupt", {"model.safetensors"}}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("model.safetensors"), HasSubstr("SHA-256"), HasSubstr("try again")));
  EXPECT_FALSE(LocateModel("acme/tiny").ok());
  EXPECT_THAT(Leftovers(), IsEmpty());

  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  ExpectWhole();
}

TEST_F(DownloadTest, TellsWhatIsMissing) {
  AddModel();
  StartHub();
  EXPECT_THAT(ErrorOf(DownloadModel("acme/other")), HasSubstr("has no model acme/other"));
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny", "v9")), HasSubstr("acme/tiny has no revision v9"));
  AddFile("README.md", "nothing else", "acme/empty");
  EXPECT_THAT(ErrorOf(DownloadModel("acme/empty")),
              AllOf(HasSubstr("acme/empty"), HasSubstr("config.json")));
}

TEST_F(DownloadTest, AsksForATokenWhereOneIsNeeded) {
  AddModel();
  StartHub({{"token", "hf_right"}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), AllOf(HasSubstr("401"), HasSubstr("HF_TOKEN")));
  EXPECT_THAT(Requests(), SizeIs(1)) << "a refusal is final";
  setenv("HF_TOKEN", "hf_wrong", 1);
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("token is valid"));
  setenv("HF_TOKEN", "hf_bad\r\nX-Injected: 1", 1);
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("HF_TOKEN"), Not(HasSubstr("hf_bad"))));
  setenv("HF_TOKEN", "hf_right", 1);
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
}

TEST_F(DownloadTest, ReadsTheTokenThatLoginStored) {
  AddModel();
  StartHub({{"token", "hf_stored"}});
  WriteFile(directory_ / "home/token", "hf_stored\n");
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
}

TEST_F(DownloadTest, ReadsTheTokenWhereHuggingFacesToolsDo) {
  AddModel();
  StartHub({{"token", "hf_right"}});
  WriteFile(directory_ / "home/token", "hf_wrong\n");
  WriteFile(directory_ / "secret/token", " hf_right\r\n");
  setenv("DOWNLOAD_TEST_DIRECTORY", directory_.c_str(), 1);
  setenv("HF_TOKEN_PATH", "$DOWNLOAD_TEST_DIRECTORY/secret/token", 1);
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());

  setenv("HUGGING_FACE_HUB_TOKEN", "hf_wrong", 1);  // wins over the file
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny", "v1.0")), HasSubstr("token is valid"));
  setenv("HUGGING_FACE_HUB_TOKEN", "hf_right", 1);
  EXPECT_TRUE(DownloadModel("acme/tiny", "v1.0").ok());
  setenv("HF_TOKEN", "hf_wrong", 1);  // and its new name over it
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("token is valid"));
  setenv("HF_TOKEN", "", 1);
  setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1", 1);
  const size_t before = Requests().size();
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("401"));
  EXPECT_EQ(Requests().at(before)["authorization"], "");
}

TEST_F(DownloadTest, SaysWhatToDoAboutAGatedModel) {
  AddModel();
  StartHub({{"gated", true}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")),
              AllOf(HasSubstr("accept its conditions"), HasSubstr("HF_TOKEN")));
}

TEST_F(DownloadTest, GivesTheTokenToNobodyElse) {
  AddModel();
  setenv("HF_TOKEN", "hf_secret", 1);
  StartHub({{"token", "hf_secret"}, {"cut", {{"model.safetensors", {1000}}}}});
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const auto at_cdn = Requests([](const json& request) { return request["server"] == "cdn"; });
  ASSERT_THAT(at_cdn, SizeIs(2));
  for (const json& request : at_cdn) EXPECT_EQ(request["authorization"], "");
  const auto at_hub = Requests([](const json& request) { return request["server"] == "hub"; });
  for (const json& request : at_hub) EXPECT_EQ(request["authorization"], "Bearer hf_secret");
}

TEST_F(DownloadTest, RefusesFileNamesThatLeaveTheirFolder) {
  for (const char* name : {"../../../evil.json", "/etc/evil.json", "1_Pooling/../../config.json",
                           "..", "1_Pooling\\..\\config.json"}) {
    AddModel();
    StartHub({{"extra_names", {name}}});
    EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("leaves its folder")) << name;
    EXPECT_FALSE(fs::exists(Cache())) << name;
  }
}

TEST_F(DownloadTest, RefusesEtagsThatLeaveTheirFolder) {
  AddModel();
  StartHub({{"etag", "../../evil"}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("ETag"));
  EXPECT_THAT(fs::directory_iterator(Cache() / "blobs"), testing::Eq(fs::directory_iterator()));
}

TEST_F(DownloadTest, LeavesACircleOfRedirects) {
  AddModel();
  StartHub({{"redirect_loop", true}});
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("circle"));
}

// --- others at work ---

TEST_F(DownloadTest, TwoProcessesShareTheWork) {
  AddModel();
  StartHub({{"cut", {{"model.safetensors", {1000, 1000, 1000}}}}});
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
  AddModel();
  StartHub();
  WriteFile(directory_ / "home/hub", "a file where the directory should be");
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), HasSubstr("cannot be created"));
}

}  // namespace
}  // namespace embedding
