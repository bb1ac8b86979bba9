// What is downloaded, and what a user of the cache finds there.
#include <gmock/gmock.h>

#include "download_fixture.h"
#include "hub/file_sha256.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::SizeIs;

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
  fs::copy(TestData("tiny-bge-m3"), directory_ / "models/acme/tiny", fs::copy_options::recursive);
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(TestData("tiny-bge-m3"))) {
    if (entry.is_regular_file())
      names.push_back(fs::relative(entry.path(), TestData("tiny-bge-m3")).string());
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
  ServeModel();
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
  ServeModel();
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
  ServeModel();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before + 1) << "the listing, and no more";
}

TEST_F(DownloadTest, FetchesOnlyWhatIsMissing) {
  ServeModel();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  fs::remove(Cache() / "blobs" / fs::read_symlink(Snapshot() / "config.json").filename());
  ASSERT_FALSE(LocateModel("acme/tiny").ok());
  ExpectDownloadedWhole();
  EXPECT_THAT(Transfers("config.json"), SizeIs(2));
  EXPECT_THAT(Transfers("model.safetensors"), SizeIs(1));
}

TEST_F(DownloadTest, MakesNoRequestForAModelThatIsThere) {
  ServeModel();
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

TEST_F(DownloadTest, CompletesModulesThatAreMissing) {
  AddModel();
  AddFile("modules.json", R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
      {"path": "1_SpladePooling", "type": "sentence_transformers.models.SpladePooling"},
      {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"}])");
  AddFile("1_SpladePooling/config.json", "{}");
  StartHub();
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before) << "Normalize has no file";
  fs::remove_all(Snapshot() / "1_SpladePooling");
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  ExpectWhole({"modules.json", "1_SpladePooling/config.json", "model.safetensors"});
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

}  // namespace
}  // namespace embedding
