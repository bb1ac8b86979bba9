// Bad adapters of tasks; good ones are those of family_references_test.cc's jina_v5_*.

#include "model/task_adapters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model_spec.h"
#include "temp_dir.h"
#include "test_data.h"
#include "weights/builders.h"

namespace embedding {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

class TaskAdapters : public testing::Test {
 protected:
  TaskAdapters() {
    fs::copy(TestData("families/jina_v5_small"), model_, fs::copy_options::recursive);
  }

  void Change(const std::string& file, const std::string& field, const json& value) {
    json content = json::parse(std::ifstream(model_ / file));
    content[field] = value;
    std::ofstream(model_ / file) << content;
  }

  // The error when a field of a file has this value; the file is as it was afterwards.
  std::string ErrorWith(const std::string& file, const std::string& field, const json& value) {
    const json before = json::parse(std::ifstream(model_ / file)).value(field, json());
    Change(file, field, value);
    std::string message = SpecError();
    Change(file, field, before);
    return message;
  }

  std::string SpecError() const {
    const auto spec = ReadModelSpec(model_.string());
    return spec.ok() ? "" : spec.error().message;
  }

  // That of the tensors, when a task's file has these, each of zeros.
  std::string TensorsError(const std::map<std::string, std::vector<size_t>>& tensors) const {
    json header = json::object();
    size_t end = 0;
    for (const auto& [name, shape] : tensors) {
      const size_t begin = end;
      end += 4 * shape[0] * shape[1];
      header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, end}}};
    }
    std::ofstream(model_ / "adapters/clustering/adapter_model.safetensors", std::ios::binary)
        << Safetensors(header.dump(), std::string(end, '\0'));
    const auto spec = ReadModelSpec(model_.string());
    EXPECT_TRUE(spec.ok()) << spec.error().message;
    const auto weights = TensorStore::OpenDirectory(model_.string());
    EXPECT_TRUE(weights.ok()) << weights.error().message;
    const auto read = ReadTensors(*spec, *weights);
    return read.ok() ? "" : read.error().message;
  }

  const TempDir directory_;
  const fs::path model_ = directory_.File("model");
};

constexpr char kConfig[] = "adapters/clustering/adapter_config.json";

TEST_F(TaskAdapters, EachPromptHasOne) {
  const auto spec = ReadModelSpec(model_.string());
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->encoder().adapters->count, 4U);
  EXPECT_EQ(spec->encoder().adapters->rank, 2U);
  EXPECT_FLOAT_EQ(spec->encoder().adapters->scale, 1.5F);
  const std::map<std::string, int32_t> expected = {{"retrieval", 0},  {"text-matching", 1},
                                                   {"clustering", 2}, {"classification", 3},
                                                   {"query", 0},      {"document", 0}};
  EXPECT_EQ(spec->adapter_of_prompt, expected);
  EXPECT_EQ(spec->prompts.at("clustering"), "Document: ");
  EXPECT_EQ(spec->default_prompt_name, "document");
  EXPECT_THAT(spec->warnings, testing::Contains(HasSubstr("documents of the task retrieval")));
}

TEST_F(TaskAdapters, ADefaultOfTheModelStays) {
  Change("config_sentence_transformers.json", "default_prompt_name", "query");
  const auto spec = ReadModelSpec(model_.string());
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  EXPECT_EQ(spec->default_prompt_name, "query");
  EXPECT_TRUE(spec->warnings.empty());
}

TEST_F(TaskAdapters, WhatIsNotPlainIsRefused) {
  const auto names = [](const std::string& field) {
    return AllOf(HasSubstr(kConfig), HasSubstr(field));
  };
  EXPECT_THAT(ErrorWith(kConfig, "peft_type", "LOHA"), names("peft_type"));
  EXPECT_THAT(ErrorWith(kConfig, "bias", "all"), names("bias"));
  EXPECT_THAT(ErrorWith(kConfig, "use_dora", true), names("use_dora"));
  EXPECT_THAT(ErrorWith(kConfig, "use_rslora", true), names("use_rslora"));
  EXPECT_THAT(ErrorWith(kConfig, "modules_to_save", {"norm"}), names("modules_to_save"));
  EXPECT_THAT(ErrorWith(kConfig, "rank_pattern", {{"q_proj", 4}}), names("rank_pattern"));
  EXPECT_THAT(ErrorWith(kConfig, "layer_replication", {{0, 2}}), names("layer_replication"));
  EXPECT_THAT(ErrorWith(kConfig, "r", 0), names("r must"));
  EXPECT_THAT(ErrorWith(kConfig, "lora_alpha", "x"), names("lora_alpha"));
  EXPECT_THAT(ErrorWith(kConfig, "lora_alpha", 1e60), names("lora_alpha"));
  EXPECT_THAT(ErrorWith(kConfig, "r", 4), names("r and lora_alpha are not those of task"));
  EXPECT_THAT(ErrorWith(kConfig, "lora_alpha", 4), names("different ones are not supported"));
  EXPECT_EQ(SpecError(), "");
}

TEST_F(TaskAdapters, TasksMustHaveTheirFolders) {
  EXPECT_THAT(ErrorWith("config.json", "task_names", json::array()),
              HasSubstr("task_names is empty"));
  EXPECT_THAT(ErrorWith("config.json", "task_names", {"retrieval", "summary"}),
              HasSubstr("adapters/summary/adapter_config.json"));
  for (const char* name : {"..", "../retrieval", "a/b", ""}) {
    EXPECT_THAT(ErrorWith("config.json", "task_names", {name}), HasSubstr("no name of a folder"));
  }
  EXPECT_THAT(ErrorWith("config.json", "task_names", nullptr), HasSubstr("task_names"));
}

TEST_F(TaskAdapters, TensorsMustBeThoseOfLinears) {
  const std::string query = "base_model.model.layers.0.self_attn.q_proj.";
  EXPECT_EQ(TensorsError({{query + "lora_A.weight", {2, 32}}, {query + "lora_B.weight", {64, 2}}}),
            "");
  // Those of a model below another one.
  const std::string outer = "base_model.model.model.layers.0.self_attn.q_proj.";
  EXPECT_THAT(TensorsError({{outer + "lora_A.weight", {2, 32}}}),
              HasSubstr("is none of an adapter"));
  EXPECT_THAT(
      TensorsError({{query + "lora_A.weight", {3, 32}}, {query + "lora_B.weight", {64, 2}}}),
      AllOf(HasSubstr("q_proj.lora_A.weight"), HasSubstr("[2, 32]")));
  EXPECT_THAT(TensorsError({{"base_model.model.norm.lora_A.weight", {2, 32}}}),
              AllOf(HasSubstr("adapters/clustering"), HasSubstr("norm.lora_A.weight")));
}

TEST_F(TaskAdapters, AFileOfWeightsMustBeThere) {
  fs::remove(model_ / "adapters/retrieval/adapter_model.safetensors");
  const auto spec = ReadModelSpec(model_.string());
  ASSERT_TRUE(spec.ok()) << spec.error().message;
  const auto weights = TensorStore::OpenDirectory(model_.string());
  ASSERT_TRUE(weights.ok());
  const auto read = ReadTensors(*spec, *weights);
  ASSERT_FALSE(read.ok());
  EXPECT_THAT(read.error().message, HasSubstr("adapters/retrieval/adapter_model.safetensors"));
}

}  // namespace
}  // namespace embedding
