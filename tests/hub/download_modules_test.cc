// Models whose modules have no files of their own.
#include "download_fixture.h"

namespace embedding {
namespace {

TEST_F(DownloadTest, AsksForNoModuleAgainThatHasNoFiles) {
  AddModel();
  AddFile("modules.json", R"([{"path": "", "type": "sentence_transformers.models.Transformer"},
      {"path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
      {"path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
      {"path": "3_Identity", "type": "sentence_transformers.models.Identity"}])");
  AddFile("1_Pooling/config.json", "{}");
  StartHub();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  const size_t before = Requests().size();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), before);

  // What another tool left out is still asked for, once.
  std::filesystem::remove_all(Snapshot() / "1_Pooling");
  std::filesystem::remove_all(Cache() / ".no_exist");
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  EXPECT_GT(Requests().size(), before);
  const size_t after = Requests().size();
  ASSERT_TRUE(LocateOrDownloadModel("acme/tiny").ok());
  EXPECT_EQ(Requests().size(), after);
  ExpectWhole({"modules.json", "1_Pooling/config.json", "model.safetensors"});
}

}  // namespace
}  // namespace embedding
