// The fixture of the tests of downloading.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fake_hub.h"
#include "hub/download.h"
#include "hub/model_locator.h"

namespace embedding {

class DownloadTest : public HubTest {
 protected:
  using json = nlohmann::json;

  // A hub with AddModel's model.
  void ServeModel(const json& behaviour = json::object()) {
    AddModel();
    StartHub(behaviour);
  }

  // The error's message; fails if there is none, or one of another kind.
  static std::string ErrorOf(const Result<std::string>& result,
                             ErrorCode code = ErrorCode::kDownload) {
    EXPECT_FALSE(result.ok()) << "unexpectedly fine: " << *result;
    if (result.ok()) return "";
    EXPECT_EQ(result.error().code, code) << result.error().message;
    return result.error().message;
  }

  // Every file below `directory` that is not in its place yet.
  std::vector<std::string> Leftovers() const {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(Cache())) {
      const std::string name = entry.path().filename().string();
      if (name.ends_with(".tmp") || name.ends_with(".incomplete")) names.push_back(name);
    }
    return names;
  }

  // As a user meets it: found by whoever looks for it, with the right contents.
  void ExpectWhole(const std::vector<std::string>& names) {
    const Result<std::string> located = LocateModel("acme/tiny");
    ASSERT_TRUE(located.ok()) << located.error().message;
    EXPECT_EQ(*located, Snapshot());
    for (const std::string& name : names) {
      EXPECT_EQ(ReadFile(Snapshot() / name), ReadFile(directory_ / "models/acme/tiny" / name))
          << name;
    }
    EXPECT_THAT(Leftovers(), testing::IsEmpty());
  }
  void ExpectWhole() { ExpectWhole({"config.json", "tokenizer.json", "model.safetensors"}); }

  void ExpectDownloadedWhole() {
    const Result<std::string> directory = DownloadModel("acme/tiny");
    ASSERT_TRUE(directory.ok()) << directory.error().message;
    ExpectWhole();
  }
};

}  // namespace embedding
