// Which lists of modules a model may have.
#include "model/module_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "model/model_spec_fixture.h"

namespace embedding {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST_F(ModelSpecTest, ReadsTheNewPathsOfModules) {
  Modules()[0]["type"] = "sentence_transformers.base.modules.transformer.Transformer";
  Modules()[1]["type"] = "sentence_transformers.sentence_transformer.modules.pooling.Pooling";
  AddModule("sentence_transformers.base.modules.normalize.Normalize", "2_Normalize");
  EXPECT_TRUE(ReadGood().normalize);
}

TEST_F(ModelSpecTest, ReadsATransformerInAFolderOfItsOwn) {
  Modules()[0]["path"] = "0_Transformer";
  EXPECT_THAT(ErrorMessage(), HasSubstr("/0_Transformer/config.json: cannot open"));
  for (const char* name : {"config.json", "sentence_bert_config.json", "tokenizer_config.json"}) {
    files_[std::string("0_Transformer/") + name] = files_[name];
  }
  files_["0_Transformer/sentence_bert_config.json"]["max_seq_length"] = 77;
  files_["0_Transformer/tokenizer_config.json"]["truncation_side"] = "left";
  const ModelSpec spec = ReadGood();
  EXPECT_EQ(spec.transformer_directory, dir_.File("0_Transformer"));
  EXPECT_EQ(spec.max_seq_length, 77U);
  EXPECT_EQ(spec.tokenizer.truncates_left, true);
}

TEST_F(ModelSpecTest, PassesOverDropout) {
  AddModule("sentence_transformers.models.Dropout", "2_Dropout");
  AddDense("3_Dense", 64, 32);
  AddModule("sentence_transformers.models.Dropout", "4_Dropout");
  EXPECT_EQ(ReadGood().dimension(), 32U);
}

TEST_F(ModelSpecTest, RefusesOtherSequencesOfModules) {
  const json good = Modules();
  const auto error_with = [&](auto change) {
    Modules() = good;
    change();
    return ErrorMessage();
  };
  EXPECT_THAT(error_with([&] { Modules() = json::object(); }), HasSubstr("must be a JSON array"));
  EXPECT_THAT(error_with([&] { Modules() = json::array(); }), HasSubstr("has no modules"));
  EXPECT_THAT(error_with([&] { Modules().erase(1); }), HasSubstr("a Pooling is needed"));
  EXPECT_THAT(error_with([&] { std::swap(Modules()[0], Modules()[1]); }),
              HasSubstr("module 0: \"Pooling\" is not supported here"));
  EXPECT_THAT(error_with([&] { AddModule("sentence_transformers.models.LSTM", "2_LSTM"); }),
              HasSubstr("module 2: \"LSTM\" is not supported here"));
  EXPECT_THAT(error_with([&] { Modules()[1]["type"] = "custom_st.Pooling"; }),
              HasSubstr("module 1: type \"custom_st.Pooling\""));
  EXPECT_THAT(error_with([&] { Modules()[1].erase("type"); }), HasSubstr("type is missing"));
  EXPECT_THAT(error_with([&] { Modules()[1] = 3; }), HasSubstr("module 1: must be a JSON object"));
  for (const char* path : {"../1_Pooling", "/etc", "a/../../b", ".."}) {
    EXPECT_THAT(error_with([&] { Modules()[1]["path"] = path; }),
                HasSubstr("leads out of the model's directory"))
        << path;
  }
}

// The system would open "2_Dense", and a terminal would obey the escape sequence of an error.
TEST_F(ModelSpecTest, RefusesControlCharactersInPathsOfModules) {
  for (const std::string& path : {std::string("2_Dense\0x", 9), std::string("2_\x1b[2J")}) {
    const json good = Modules();
    AddModule("sentence_transformers.models.Dense", path);
    EXPECT_THAT(ErrorMessage(),
                AllOf(HasSubstr("module 2: path \"2_"), HasSubstr("has a control character")));
    EXPECT_EQ(ErrorMessage().find('\x1b'), std::string::npos);
    Modules() = good;
  }
}

}  // namespace
}  // namespace embedding
