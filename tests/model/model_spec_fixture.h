// The fixture of the tests of reading a model's JSON files.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "model/model_spec.h"
#include "temp_dir.h"

namespace embedding {

// A sentence-transformers model of two layers, whose files a test changes before it is read.
class ModelSpecTest : public testing::Test {
 protected:
  using json = nlohmann::json;

  Result<ModelSpec> Read() {
    for (const auto& [name, content] : files_.items()) {
      if (!content.is_null()) dir_.Write(name, content.dump());
    }
    return ReadModelSpec(dir_.path());
  }

  ModelSpec ReadGood() {
    auto spec = Read();
    EXPECT_TRUE(spec.ok()) << spec.error().message;
    return spec.ok() ? *std::move(spec) : ModelSpec{};
  }

  std::string ErrorMessage() {
    const auto spec = Read();
    EXPECT_FALSE(spec.ok());
    if (spec.ok()) return {};
    EXPECT_EQ(spec.error().code, ErrorCode::kModelLoad);
    return spec.error().message;
  }

  // The error when `field` of `file` has `value`; the file is as it was afterwards.
  std::string ErrorWith(const std::string& file, const std::string& field, const json& value) {
    const json before = files_[file];
    files_[file][field] = value;
    std::string message = ErrorMessage();
    files_[file] = before;
    return message;
  }

  json& Config() { return files_["config.json"]; }
  json& Modules() { return files_["modules.json"]; }
  json& PoolingConfig() { return files_["1_Pooling/config.json"]; }

  void AddModule(const std::string& type, const std::string& path) {
    Modules().push_back({{"idx", Modules().size()},
                         {"name", std::to_string(Modules().size())},
                         {"path", path},
                         {"type", type}});
  }

  void AddDense(const std::string& path, int in_features, int out_features) {
    AddModule("sentence_transformers.models.Dense", path);
    files_[path + "/config.json"] = {{"in_features", in_features},
                                     {"out_features", out_features},
                                     {"bias", true},
                                     {"activation_function", "torch.nn.modules.activation.Tanh"}};
  }

  TempDir dir_;
  json files_ = json::parse(R"({
    "config.json": {
      "architectures": ["XLMRobertaModel"], "model_type": "xlm-roberta", "hidden_act": "gelu",
      "hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
      "intermediate_size": 256, "vocab_size": 1000, "max_position_embeddings": 514,
      "type_vocab_size": 1, "layer_norm_eps": 1e-05, "pad_token_id": 1,
      "position_embedding_type": "absolute"},
    "modules.json": [
      {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
      {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"}],
    "1_Pooling/config.json": {
      "word_embedding_dimension": 64, "pooling_mode_cls_token": false,
      "pooling_mode_mean_tokens": true, "pooling_mode_max_tokens": false,
      "pooling_mode_mean_sqrt_len_tokens": false}})");
};

}  // namespace embedding
