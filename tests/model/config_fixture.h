// The fixture of the tests of what families read out of a config.json.
#pragma once

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "model/config_json.h"
#include "temp_dir.h"

namespace embedding {

class ConfigTest : public testing::Test {
 protected:
  using json = nlohmann::json;

  Result<ConfigJson> Read() {
    dir_.Write("config.json", config_.dump());
    return ReadConfigJson(dir_.File("config.json"));
  }

  ConfigJson ReadGood() {
    auto config = Read();
    EXPECT_TRUE(config.ok()) << config.error().message;
    return config.ok() ? *std::move(config) : ConfigJson{};
  }

  Encoder ReadEncoder() { return ReadGood().encoder; }

  // How many tokens away each layer sees, -1 for all.
  std::vector<int> Windows() {
    std::vector<int> windows;
    for (const Layer& layer : ReadEncoder().layers) {
      const auto& window = layer.attention.window;
      windows.push_back(window ? static_cast<int>(*window) : -1);
    }
    return windows;
  }

  std::string ErrorMessage() {
    const auto config = Read();
    EXPECT_FALSE(config.ok());
    if (config.ok()) return {};
    EXPECT_EQ(config.error().code, ErrorCode::kModelLoad);
    return config.error().message;
  }

  // The error when a field has that value; the config is as it was afterwards.
  std::string ErrorWith(const std::string& field, const json& value) {
    const json before = config_;
    config_[field] = value;
    std::string message = ErrorMessage();
    config_ = before;
    return message;
  }

  // The error of a config whose value for a field is refused must name both.
  void ExpectRefused(const std::string& field, const json& value) {
    const std::string message = ErrorWith(field, value);
    EXPECT_NE(message.find("/config.json: " + field + " "), std::string::npos) << message;
    EXPECT_NE(message.find(value.dump()), std::string::npos) << message;
  }

  json config_;
  const TempDir dir_;
};

}  // namespace embedding
