// What an embedder does when its model's files are not those that it was loaded from, or do not
// belong together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/mapped_file.h"
#include "embedding/engine.h"
#include "engine/vectors.h"
#include "temp_dir.h"
#include "test_data.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// A copy of a model, whose files the test may write into.
class EmbedderFiles : public testing::Test {
 protected:
  EmbedderFiles() { fs::copy(kMiniLm, directory_, fs::copy_options::recursive); }

  const TempDir temp_dir_;
  const fs::path directory_ = temp_dir_.path();
};

// Of an embedder whose model's file was written into.
void ExpectUnhealthy(Embedder& embedder) {
  EmbedRequest request;
  request.texts = {"a text with words that nobody has asked for"};
  const auto response = embedder.Embed(request);
  ASSERT_FALSE(response.ok());
  for (const Error& error : {response.error(), embedder.health().error()}) {
    EXPECT_EQ(error.code, ErrorCode::kUnavailable);
    EXPECT_THAT(error.message, HasSubstr("model.safetensors was changed"));
  }
}

TEST_F(EmbedderFiles, AChangedWeightFileIsNoticedBeforeAnybodyIsAnswered) {
  const auto embedder = Load(directory_.string());
  EXPECT_TRUE(embedder->health().ok());
  {
    std::fstream file(directory_ / "model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1 << 20);
    file << "something else";
  }
  ExpectUnhealthy(*embedder);
}

TEST_F(EmbedderFiles, ATruncatedWeightFileIsNoticedAndTheProcessGoesOn) {
  MappedFile::SurviveTruncation();
  const auto embedder = Load(directory_.string());
  fs::resize_file(directory_ / "model.safetensors", 1000);
  ExpectUnhealthy(*embedder);
}

TEST_F(EmbedderFiles, AReplacedWeightFileIsNoMatter) {
  const auto embedder = Load(directory_.string());
  std::ofstream(directory_ / "new") << "something else";
  fs::rename(directory_ / "new", directory_ / "model.safetensors");
  EXPECT_EQ(EmbedAll(*embedder, {"a"}, true), EmbedAll(*Load(kMiniLm), {"a"}, true));
  EXPECT_TRUE(embedder->health().ok());
}

TEST(EmbedderLoad, ATokenizerOfAnotherModelIsRefused) {
  const TempDir temp_dir;
  const fs::path directory = temp_dir.path();
  fs::copy(kTinyBgeM3, directory, fs::copy_options::recursive);
  fs::copy(FetchedModel("bge-m3-tokenizer/tokenizer.json"), directory / "tokenizer.json",
           fs::copy_options::overwrite_existing);
  const auto embedder = Embedder::Load({.model_directory = directory.string()});
  ASSERT_FALSE(embedder.ok());
  EXPECT_EQ(embedder.error().code, ErrorCode::kModelLoad);
  EXPECT_THAT(embedder.error().message, HasSubstr("ids up to 250001"));
  EXPECT_THAT(embedder.error().message, HasSubstr("vocab_size is 8002"));
}

}  // namespace
}  // namespace embedding
