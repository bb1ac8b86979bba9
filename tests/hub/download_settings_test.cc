// How names and the environment decide what is asked of whom.
#include <gmock/gmock.h>

#include "download_fixture.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(DownloadTest, NeverTouchesTheNetworkOffline) {
  ServeModel();
  setenv("HF_HUB_OFFLINE", "1", 1);
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny"), ErrorCode::kModelLoad),
              HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/tiny"), ErrorCode::kModelLoad),
              HasSubstr("HF_HUB_OFFLINE"));
  EXPECT_THAT(Requests(), IsEmpty());

  unsetenv("HF_HUB_OFFLINE");
  ASSERT_TRUE(DownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  setenv("HF_HUB_OFFLINE", "TRUE", 1);
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before);
}

TEST_F(DownloadTest, NeverTouchesTheNetworkWhereTransformersMayNot) {
  ServeModel();
  setenv("TRANSFORMERS_OFFLINE", "yes", 1);
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/tiny"), ErrorCode::kModelLoad),
              HasSubstr("TRANSFORMERS_OFFLINE"));
  EXPECT_THAT(Requests(), IsEmpty());
  setenv("HF_HUB_OFFLINE", "0", 1);  // which wins
  EXPECT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
}

TEST_F(DownloadTest, NamesATimeoutThatIsNone) {
  ServeModel();
  for (const char* name : {"HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT"}) {
    for (const char* value : {"0", "-1", "soon", "10s", "99999999999999999999"}) {
      setenv(name, value, 1);
      EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny")), AllOf(HasSubstr(name), HasSubstr(value)));
    }
    setenv(name, "30", 1);
  }
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
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

TEST_F(DownloadTest, DoesNotAskTheHubForWhatIsAPath) {
  StartHub();
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("model.gguf"), ErrorCode::kModelLoad),
              HasSubstr("GGUF"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("acme/model.onnx"), ErrorCode::kModelLoad),
              HasSubstr("ONNX"));
  EXPECT_THAT(ErrorOf(LocateOrDownloadModel("./acme/tiny"), ErrorCode::kModelLoad),
              HasSubstr("no such directory"));
  EXPECT_THAT(ErrorOf(DownloadModel("../acme"), ErrorCode::kModelLoad), HasSubstr("model id"));
  EXPECT_THAT(ErrorOf(DownloadModel("acme/tiny", "../main"), ErrorCode::kModelLoad),
              HasSubstr("revision"));
  EXPECT_THAT(Requests(), IsEmpty());
}

TEST_F(DownloadTest, AsksForATokenWhereOneIsNeeded) {
  ServeModel({{"token", "hf_right"}});
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
  ServeModel({{"token", "hf_stored"}});
  WriteFile(directory_ / "home/token", "hf_stored\n");
  EXPECT_TRUE(DownloadModel("acme/tiny").ok());
}

TEST_F(DownloadTest, ReadsTheTokenWhereHuggingFacesToolsDo) {
  ServeModel({{"token", "hf_right"}});
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
  ServeModel({{"gated", true}});
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

}  // namespace
}  // namespace embedding
