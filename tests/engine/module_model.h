// The small models of modules of every kind that tests/data/make_module_models.py has made.
#pragma once

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "temp_dir.h"
#include "test_data.h"

namespace embedding {

inline const std::filesystem::path kModuleModels = TestData("module_models");

// One of them in a directory of its own: what the families have of it, and what it has besides.
class ModuleModel {
 public:
  explicit ModuleModel(const std::string& name) {
    namespace fs = std::filesystem;
    const fs::path families = TestData("families");
    references_ = nlohmann::json::parse(std::ifstream(kModuleModels / name / "references.json"));
    for (const auto& [folder, family] : references_.at("bases").items()) {
      const fs::path target = directory_ / folder;
      fs::create_directories(target);
      const fs::path from = families / family.get<std::string>();
      for (const char* file : {"config.json", "model.safetensors", "sentence_bert_config.json",
                               "tokenizer_config.json"}) {
        fs::copy(from / file, target);
      }
      fs::copy(families / "tokenizers" / family.get<std::string>() / "tokenizer.json", target);
    }
    fs::copy(kModuleModels / name, directory_,
             fs::copy_options::recursive | fs::copy_options::overwrite_existing);
  }

  const std::filesystem::path& directory() const { return directory_; }
  const nlohmann::json& references() const { return references_; }

 private:
  const TempDir temp_dir_;
  const std::filesystem::path directory_ = temp_dir_.File("model");
  nlohmann::json references_;
};

}  // namespace embedding
