#include "hub/model_digest.h"

#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "fake_hub.h"

namespace embedding {
namespace {

class ModelDigestTest : public HubTest {
 protected:
  std::string Digest() const { return ModelDigest((directory_ / "models/acme/tiny").string()); }
};

TEST_F(ModelDigestTest, ChangesWithWhatTheModelIs) {
  std::set<std::string> digests = {Digest()};
  AddModel();
  EXPECT_TRUE(digests.insert(Digest()).second);
  AddFile("config.json", R"({"model_type": "roberta"})");
  EXPECT_TRUE(digests.insert(Digest()).second) << "other contents";
  AddFile("1_Pooling/config.json", "{}");
  EXPECT_TRUE(digests.insert(Digest()).second) << "a module";
  AddFile("adapters/retrieval/adapter_model.safetensors", "x");
  EXPECT_TRUE(digests.insert(Digest()).second) << "a task's adapter";
  const std::string before = Digest();
  AddFile("README.md", "x");
  AddFile("onnx/model.onnx", "x");
  AddFile("onnx/config.json", "x");
  EXPECT_EQ(Digest(), before);
}

TEST_F(ModelDigestTest, ChangesWithTheVocabularyThatIsRead) {
  AddModel();
  const std::string before = Digest();
  AddFile("vocab.txt", "a");
  EXPECT_EQ(Digest(), before) << "beside a tokenizer.json";
  std::set<std::string> digests = {before};
  std::filesystem::remove(directory_ / "models/acme/tiny/tokenizer.json");
  EXPECT_TRUE(digests.insert(Digest()).second);
  AddFile("vocab.txt", "b");
  EXPECT_TRUE(digests.insert(Digest()).second);
  AddFile("spiece.model", "b");
  EXPECT_TRUE(digests.insert(Digest()).second);
}

// A file of 33 MB is read in blocks: the first and the last among them.
TEST_F(ModelDigestTest, SeesLargeWeightsThatWereTrainedAnew) {
  AddModel();
  const size_t size = size_t{33} << 20;
  std::string weights(size, 'x');
  std::set<std::string> digests;
  for (const char value : {'x', 'y'}) {
    for (const size_t place : {size_t{0}, size / 2, size - 1}) {
      std::fill(weights.begin(), weights.end(), 'x');
      weights[place] = value;
      if (place == size / 2) std::fill(weights.begin() + 100'000, weights.end(), value);
      AddFile("model.safetensors", weights);
      digests.insert(Digest());
    }
  }
  EXPECT_EQ(digests.size(), 4U);
  AddFile("model.safetensors", weights + 'y');
  EXPECT_TRUE(digests.insert(Digest()).second) << "another size";
}

}  // namespace
}  // namespace embedding
