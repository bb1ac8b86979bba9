#include "model/model_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "temp_dir.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ModelDirectory : public testing::Test {
 protected:
  // What is said of a directory with these files.
  std::string ErrorOf(const std::vector<std::string>& files) {
    const fs::path model = fs::path(directory_.path()) / "model";
    fs::remove_all(model);
    fs::create_directories(model);
    for (const std::string& file : files) {
      fs::create_directories((model / file).parent_path());
      std::ofstream(model / file) << "{}";
    }
    const Status checked = CheckModelDirectory(model.string());
    if (checked.ok()) return "";
    EXPECT_EQ(checked.error().code, ErrorCode::kModelLoad);
    EXPECT_THAT(checked.error().message, StartsWith(model.string()));
    return checked.error().message;
  }

  const TempDir directory_;
};

TEST_F(ModelDirectory, HoldsATokenizerInOneOfItsForms) {
  for (const char* vocabulary : {"tokenizer.json", "vocab.txt", "sentencepiece.bpe.model",
                                 "spiece.model", "spm.model", "tokenizer.model"}) {
    EXPECT_EQ(ErrorOf({"config.json", "model.safetensors", vocabulary}), "") << vocabulary;
    EXPECT_TRUE(HasModel(fs::path(directory_.path()) / "model")) << vocabulary;
  }
  EXPECT_EQ(ErrorOf({"config.json", "model.safetensors", "vocab.json", "merges.txt"}), "");
  EXPECT_EQ(ErrorOf({"modules.json", "0_Transformer/config.json", "0_Transformer/vocab.txt",
                     "0_Transformer/pytorch_model.bin"}),
            "");
  EXPECT_TRUE(HasModel(fs::path(directory_.path()) / "model"));
  for (const char* other : {"modules.json", "vocab.json", "merges.txt", "1_Pooling/vocab.txt"}) {
    EXPECT_THAT(ErrorOf({"config.json", "model.safetensors", "modules.json", other}),
                AllOf(HasSubstr("no tokenizer.json, nor"), HasSubstr("vocab.json with merges.txt")))
        << other;
    EXPECT_FALSE(HasModel(fs::path(directory_.path()) / "model")) << other;
  }
}

TEST_F(ModelDirectory, SaysHowAnAdapterBecomesAModel) {
  for (const char* weights : {"adapter_model.safetensors", "adapter_model.bin"}) {
    EXPECT_THAT(ErrorOf({"adapter_config.json", weights, "tokenizer.json"}),
                AllOf(HasSubstr("(adapter_config.json)"), HasSubstr("merge_and_unload()")));
    EXPECT_THAT(ErrorOf({"adapter_config.json", weights, "modules.json", "1_Pooling/config.json"}),
                HasSubstr("merge_and_unload()"));
  }
  EXPECT_THAT(ErrorOf({"adapter_model.safetensors"}), HasSubstr("merge_and_unload()"));
}

TEST_F(ModelDirectory, SaysThatTheListOfModulesIsMissing) {
  EXPECT_THAT(ErrorOf({"0_Transformer/config.json", "0_Transformer/model.safetensors",
                       "0_Transformer/tokenizer.json", "1_Pooling/config.json"}),
              AllOf(HasSubstr("\"0_Transformer\""), HasSubstr("no modules.json")));
  EXPECT_THAT(ErrorOf({"1_Pooling/config.json", "model.safetensors"}),
              AllOf(HasSubstr("\"1_Pooling\""), HasSubstr("no modules.json")));
}

TEST_F(ModelDirectory, SaysWhatToGiveInPlaceOfADirectoryAroundTheModel) {
  EXPECT_THAT(ErrorOf({"checkpoint-500/config.json", "checkpoint-500/model.safetensors"}),
              HasSubstr("model/checkpoint-500\" does; give that"));
  EXPECT_THAT(ErrorOf({}), HasSubstr("give the directory with the model's config.json"));
  EXPECT_THAT(ErrorOf({"model.safetensors"}), HasSubstr("holds no config.json"));
  EXPECT_THAT(ErrorOf({"snapshots/0/config.json"}), HasSubstr("hub cache"));
}

}  // namespace
}  // namespace embedding
