#include "model/library_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

constexpr char kFile[] = "config_sentence_transformers.json";

TEST_F(ModelSpecTest, ReadsHowVectorsAreCompared) {
  EXPECT_EQ(ReadGood().similarity, Similarity::kCosine);
  for (const auto& [name, similarity] :
       {std::pair("dot", Similarity::kDot), std::pair("euclidean", Similarity::kEuclidean),
        std::pair("manhattan", Similarity::kManhattan), std::pair("cosine", Similarity::kCosine),
        std::pair("maxsim", Similarity::kCosine)}) {
    files_[kFile]["similarity_fn_name"] = name;
    EXPECT_EQ(ReadGood().similarity, similarity) << name;
  }
  files_[kFile]["similarity_fn_name"] = nullptr;
  EXPECT_EQ(ReadGood().similarity, Similarity::kCosine);
}

TEST_F(ModelSpecTest, ReadsMatryoshkaDimensionsFromEitherFile) {
  Config()["matryoshka_dimensions"] = {32, 64};
  EXPECT_THAT(ReadGood().matryoshka_dimensions, ElementsAre(32, 64));
  files_[kFile]["matryoshka_dimensions"] = {16};
  EXPECT_THAT(ReadGood().matryoshka_dimensions, ElementsAre(16));
  EXPECT_THAT(ErrorWith("config.json", "matryoshka_dimensions", {0}),
              HasSubstr("matryoshka_dimensions[0] must be"));
}

TEST_F(ModelSpecTest, QueryAndDocumentMayBeTheDefaultPromptWithoutBeingSaid) {
  files_[kFile]["default_prompt_name"] = "query";
  EXPECT_THAT(ReadGood().prompts, ElementsAre(Pair("query", "")));
  EXPECT_EQ(ReadGood().default_prompt_name, "query");
  files_[kFile]["default_prompt_name"] = "passage";
  EXPECT_THAT(ErrorMessage(), HasSubstr("default_prompt_name must be the name of one"));
}

TEST_F(ModelSpecTest, RefusesMultiVectorEncoders) {
  files_[kFile]["model_type"] = "MultiVectorEncoder";
  EXPECT_THAT(ErrorMessage(), HasSubstr("model_type \"MultiVectorEncoder\" is not supported"));
}

}  // namespace
}  // namespace embedding
