#include "hub/model_locator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "hub/hub_environment.h"
#include "hub/model_names.h"
#include "temp_dir.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kCommit[] = "00112233445566778899aabbccddeeff00112233";

class ModelLocator : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* variable : {"SENTENCE_TRANSFORMERS_HOME", "HF_HUB_CACHE",
                                 "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"}) {
      unsetenv(variable);
    }
    setenv("HOME", (directory_ / "user").c_str(), 1);
  }

  static void Write(const fs::path& path, std::string_view text = "{}") {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
  }

  // Puts a model into a cache, as Python's huggingface_hub does, and returns its snapshot.
  static fs::path AddModel(const fs::path& hub, const std::string& revision = "main",
                           const std::string& folder = "models--acme--tiny") {
    const fs::path model = hub / folder;
    fs::path snapshot = model / "snapshots" / kCommit;
    Write(model / "blobs" / "abc");
    fs::create_directories(snapshot);
    for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
      if (!fs::exists(snapshot / name)) fs::create_symlink("../../blobs/abc", snapshot / name);
    }
    Write(model / "refs" / revision, kCommit);
    return snapshot;
  }

  static void ExpectFound(const fs::path& expected, const std::string& id,
                          const std::string& revision = "main") {
    const Result<std::string> found = LocateModel(id, revision);
    ASSERT_TRUE(found.ok()) << found.error().message;
    EXPECT_EQ(*found, expected);
  }

  static std::string ErrorOf(const std::string& id, const std::string& revision = "main") {
    const Result<std::string> found = LocateModel(id, revision);
    EXPECT_FALSE(found.ok()) << *found;
    return found.ok() ? "" : found.error().message;
  }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.path();
};

TEST_F(ModelLocator, TakesADirectoryAsItIs) {
  Write(directory_ / "config.json");
  ExpectFound(directory_, directory_.string());
  Write(directory_ / "user/models/tiny/config.json");
  ExpectFound(directory_ / "user/models/tiny", "~/models/tiny");
}

TEST_F(ModelLocator, LooksWhereTheVariablesSay) {
  const fs::path in_home = AddModel(directory_ / "user/.cache/huggingface/hub");
  ExpectFound(in_home, "acme/tiny");

  const fs::path in_xdg = AddModel(directory_ / "xdg/huggingface/hub");
  setenv("XDG_CACHE_HOME", (directory_ / "xdg").c_str(), 1);
  ExpectFound(in_xdg, "acme/tiny");

  const fs::path in_hf_home = AddModel(directory_ / "user/hf/hub");
  setenv("HF_HOME", "~/hf", 1);
  ExpectFound(in_hf_home, "acme/tiny");

  const fs::path in_hub_cache = AddModel(directory_ / "cache");
  setenv("HF_HUB_CACHE", (directory_ / "cache").c_str(), 1);
  ExpectFound(in_hub_cache, "acme/tiny");

  // Its old name counts where the new one is not there, as in huggingface_hub.
  const fs::path in_old_name = AddModel(directory_ / "old cache");
  setenv("HUGGINGFACE_HUB_CACHE", (directory_ / "old cache").c_str(), 1);
  ExpectFound(in_hub_cache, "acme/tiny");
  setenv("HF_HUB_CACHE", "", 1);
  ExpectFound(in_old_name, "acme/tiny");

  const fs::path in_own = AddModel(directory_ / "st");
  setenv("SENTENCE_TRANSFORMERS_HOME", (directory_ / "st").c_str(), 1);
  setenv("HF_HUB_CACHE", (directory_ / "cache").c_str(), 1);
  ExpectFound(in_own, "acme/tiny");

  unsetenv("SENTENCE_TRANSFORMERS_HOME");
  setenv("HUGGINGFACE_HUB_CACHE", "", 1);
  setenv("HF_HUB_CACHE", "", 1);
  ExpectFound(in_hf_home, "acme/tiny");
}

TEST_F(ModelLocator, ExpandsVariablesInPaths) {
  const fs::path snapshot = AddModel(directory_ / "user/hub-of-a_1");
  setenv("LOCATOR_TEST_NAME", "a_1", 1);
  for (const char* cache : {"~/hub-of-$LOCATOR_TEST_NAME", "~/hub-of-${LOCATOR_TEST_NAME}",
                            "$HOME/hub-of-a_1", "${HOME}/hub-of-$LOCATOR_TEST_NAME"}) {
    setenv("HF_HUB_CACHE", cache, 1);
    ExpectFound(snapshot, "acme/tiny");
  }
  unsetenv("LOCATOR_TEST_NAME");
  EXPECT_EQ(ExpandPath("$LOCATOR_TEST_NAME/${LOCATOR_TEST_NAME}/$/${/a$"),
            "$LOCATOR_TEST_NAME/${LOCATOR_TEST_NAME}/$/${/a$");
}

TEST_F(ModelLocator, FindsANameWithoutAnOrganisation) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  const fs::path as_it_is = AddModel(directory_, "main", "models--tiny");
  ExpectFound(as_it_is, "tiny");
  const fs::path reranker = AddModel(directory_, "main", "models--cross-encoder--tiny");
  ExpectFound(reranker, "tiny");
  const fs::path own = AddModel(directory_, "main", "models--sentence-transformers--tiny");
  ExpectFound(own, "tiny");
  ExpectFound(reranker, "cross-encoder/tiny");
  EXPECT_THAT(ErrorOf("other"), HasSubstr("models--sentence-transformers--other"));

  // Those that are older than organisations.
  AddModel(directory_, "main", "models--sentence-transformers--bert-base-uncased");
  EXPECT_THAT(ErrorOf("bert-base-uncased"), HasSubstr("models--bert-base-uncased"));
  ExpectFound(AddModel(directory_, "main", "models--bert-base-uncased"), "bert-base-uncased");
  EXPECT_THAT(HubIdsOf("XLM-RoBERTa-base"), testing::ElementsAre("XLM-RoBERTa-base"));
}

TEST_F(ModelLocator, FindsAModelThatIsInAModulesFolder) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  const fs::path snapshot = AddModel(directory_);
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    fs::create_directories(snapshot / "0_Transformer");
    fs::rename(snapshot / name, snapshot / "0_Transformer" / name);
    fs::remove(snapshot / "0_Transformer" / name);
    Write(snapshot / "0_Transformer" / name);
  }
  ExpectFound(snapshot, "acme/tiny");
  fs::remove(snapshot / "0_Transformer/tokenizer.json");
  EXPECT_THAT(ErrorOf("acme/tiny"), HasSubstr("in part"));
}

TEST_F(ModelLocator, SaysWhatToGiveInsteadOfOtherProgramsFiles) {
  const auto instead = [](const char* format) {
    return AllOf(HasSubstr(format), HasSubstr("model.safetensors"), HasSubstr("BAAI/bge-m3"));
  };
  Write(directory_ / "gguf/model-Q4_K_M.GGUF");
  Write(directory_ / "onnx/config.json");
  Write(directory_ / "onnx/tokenizer.json");
  Write(directory_ / "onnx/onnx/model_quantized.onnx");
  Write(directory_ / "vino/openvino_model.xml");
  Write(directory_ / "tf/tf_model.h5");
  EXPECT_THAT(ErrorOf((directory_ / "gguf").string()), instead("GGUF"));
  EXPECT_THAT(ErrorOf((directory_ / "onnx").string()), instead("ONNX"));
  EXPECT_THAT(ErrorOf((directory_ / "vino").string()), instead("OpenVINO"));
  EXPECT_THAT(ErrorOf((directory_ / "tf").string()), instead("TensorFlow"));
  EXPECT_THAT(ErrorOf((directory_ / "gguf/model-Q4_K_M.GGUF").string()), instead("GGUF"));
  // Names that could be the hub's, but are not meant so.
  for (const char* file : {"model.gguf", "models/model.gguf"}) {
    EXPECT_THAT(ErrorOf(file), AllOf(HasSubstr("no such file"), instead("GGUF"))) << file;
  }
  EXPECT_THAT(ErrorOf("model.safetensors"), HasSubstr("give the directory"));

  // Beside weights that are read they do no harm.
  Write(directory_ / "onnx/model.safetensors");
  ExpectFound(directory_ / "onnx", (directory_ / "onnx").string());
}

TEST_F(ModelLocator, KnowsTheFolderOfTheCacheFromAModels) {
  AddModel(directory_);
  EXPECT_THAT(ErrorOf((directory_ / "models--acme--tiny").string()),
              AllOf(HasSubstr("hub cache"), HasSubstr("snapshots")));
}

TEST_F(ModelLocator, NeedsNoHomeVariable) {
  unsetenv("HOME");
  EXPECT_THAT(HuggingFaceHome(), AllOf(testing::StartsWith("/"), testing::EndsWith("huggingface")));
}

TEST_F(ModelLocator, KnowsBranchesTagsAndCommits) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  const fs::path snapshot = AddModel(directory_, "refs/pr/3");
  ExpectFound(snapshot, "acme/tiny", "refs/pr/3");
  ExpectFound(snapshot, "acme/tiny", kCommit);
  EXPECT_THAT(ErrorOf("acme/tiny", "v2"),
              AllOf(HasSubstr("revision v2"), HasSubstr("give the directory")));
}

TEST_F(ModelLocator, SaysWhereItLookedAndWhatToDo) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  EXPECT_THAT(ErrorOf("BAAI/bge-m3"),
              AllOf(HasSubstr((directory_ / "models--BAAI--bge-m3").string()),
                    HasSubstr("give the directory")));
  EXPECT_THAT(ErrorOf("bert-base-uncased"), HasSubstr("models--bert-base-uncased"));
}

TEST_F(ModelLocator, DoesNotTakeAPartForTheModel) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  const fs::path snapshot = AddModel(directory_);
  fs::remove(directory_ / "models--acme--tiny/blobs/abc");
  EXPECT_THAT(ErrorOf("acme/tiny"), HasSubstr("in part"));
  Write(directory_ / "models--acme--tiny/blobs/abc");
  ExpectFound(snapshot, "acme/tiny");
  for (const char* name : {"config.json", "tokenizer.json", "model.safetensors"}) {
    AddModel(directory_);
    fs::remove(snapshot / name);
    EXPECT_THAT(ErrorOf("acme/tiny"), HasSubstr("in part")) << name;
  }
}

TEST_F(ModelLocator, DoesNotFollowARefOutOfTheCache) {
  setenv("HF_HUB_CACHE", directory_.c_str(), 1);
  AddModel(directory_);
  Write(directory_ / "outside/config.json");
  Write(directory_ / "outside/tokenizer.json");
  Write(directory_ / "outside/model.safetensors");
  Write(directory_ / "models--acme--tiny/refs/main", "../../outside");
  EXPECT_THAT(ErrorOf("acme/tiny"), HasSubstr("not in the hub cache"));
}

TEST_F(ModelLocator, SpeaksOfDirectoriesWhereAPathIsMeant) {
  for (const char* path :
       {"/no/such", "./tiny", "../acme/tiny", "~/tiny", "models/acme/tiny", "acme/", "~"}) {
    EXPECT_THAT(ErrorOf(path), AllOf(HasSubstr("no such directory"), Not(HasSubstr("hub cache"))))
        << path;
  }
  Write(directory_ / "file");
  EXPECT_THAT(ErrorOf((directory_ / "file").string()), HasSubstr("not a directory"));
}

TEST_F(ModelLocator, RefusesWhatCannotBeAnId) {
  for (const char* id : {"", "acme/..", "a..b", "a--b", "acme/tiny ", "acme/t\xC3\xAFny", "a\nb",
                         "-acme/tiny", "acme/tiny-", "acme/tiny.", "acme/t?y", "a:b"}) {
    EXPECT_FALSE(CheckModelId(id).ok()) << id;
    EXPECT_THAT(ErrorOf(id), HasSubstr("model id")) << id;
  }
  EXPECT_FALSE(CheckModelId(std::string(97, 'a')).ok());
  for (const char* id :
       {"BAAI/bge-m3", "gpt2", "sentence-transformers/all-MiniLM-L6-v2", "a/b_c.d", "_/_"}) {
    EXPECT_TRUE(CheckModelId(id).ok()) << id;
  }
}

TEST_F(ModelLocator, RefusesWhatCannotBeARevision) {
  for (const char* revision : {"", "..", "../x", "a/../b", "/main", "main/", "a//b", "a b", "a\nb",
                               ".hidden", "a\\b", "a?b", "a#b", "a%2F"}) {
    EXPECT_FALSE(CheckRevision(revision).ok()) << revision;
    EXPECT_THAT(ErrorOf("acme/tiny", revision), HasSubstr("revision")) << revision;
  }
  for (const char* revision : {"main", "v1.5", "refs/pr/3", "feature/x_y-z", kCommit}) {
    EXPECT_TRUE(CheckRevision(revision).ok()) << revision;
  }
}

}  // namespace
}  // namespace embedding
