// What an embedder does when its model's files are not those that it was loaded from, or do not
// belong together.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "base/mapped_file.h"
#include "engine/embedder.h"
#include "engine/vectors.h"

namespace embedding {
namespace {

using testing::HasSubstr;

// A copy of a model whose weight file the test may write into.
std::filesystem::path CopyOfMiniLm(const char* name) {
  namespace fs = std::filesystem;
  fs::path directory = fs::path(testing::TempDir()) / name;
  fs::remove_all(directory);
  fs::copy(kMiniLm, directory, fs::copy_options::recursive);
  return directory;
}

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

TEST(EmbedderFiles, AChangedWeightFileIsNoticedBeforeAnybodyIsAnswered) {
  const auto directory = CopyOfMiniLm("changed-model");
  const auto embedder = Load(directory.string());
  EXPECT_TRUE(embedder->health().ok());
  {
    std::fstream file(directory / "model.safetensors",
                      std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1 << 20);
    file << "something else";
  }
  ExpectUnhealthy(*embedder);
}

TEST(EmbedderFiles, ATruncatedWeightFileIsNoticedAndTheProcessGoesOn) {
  MappedFile::SurviveTruncation();
  const auto directory = CopyOfMiniLm("truncated-model");
  const auto embedder = Load(directory.string());
  std::filesystem::resize_file(directory / "model.safetensors", 1000);
  ExpectUnhealthy(*embedder);
}

TEST(EmbedderFiles, AReplacedWeightFileIsNoMatter) {
  const auto directory = CopyOfMiniLm("replaced-model");
  const auto embedder = Load(directory.string());
  std::ofstream(directory / "new") << "something else";
  std::filesystem::rename(directory / "new", directory / "model.safetensors");
  EXPECT_EQ(EmbedAll(*embedder, {"a"}, true), EmbedAll(*Load(kMiniLm), {"a"}, true));
  EXPECT_TRUE(embedder->health().ok());
}

TEST(EmbedderLoad, ATokenizerOfAnotherModelIsRefused) {
  namespace fs = std::filesystem;
  const fs::path directory = fs::path(testing::TempDir()) / "mixed-model";
  fs::remove_all(directory);
  fs::copy(kTinyBgeM3, directory, fs::copy_options::recursive);
  fs::copy(MODELS_DIR "/bge-m3-tokenizer/tokenizer.json", directory / "tokenizer.json",
           fs::copy_options::overwrite_existing);
  const auto embedder = Embedder::Load({.model_directory = directory.string()});
  ASSERT_FALSE(embedder.ok());
  EXPECT_EQ(embedder.error().code, ErrorCode::kModelLoad);
  EXPECT_THAT(embedder.error().message, HasSubstr("ids up to 250001"));
  EXPECT_THAT(embedder.error().message, HasSubstr("vocab_size is 8002"));
}

}  // namespace
}  // namespace embedding
