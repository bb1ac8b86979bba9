// FakeHub: runs fake_hub.py for a test; HubTest: a test with a hub to serve models from and an
// empty cache to fill.
#pragma once

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "temp_dir.h"
#include "test_data.h"

namespace embedding {

// What fake_hub.py says every revision is.
inline constexpr char kCommit[] = "00112233445566778899aabbccddeeff00112233";

class FakeHub {
 public:
  FakeHub(const std::filesystem::path& root, const std::filesystem::path& log,
          const nlohmann::json& behaviour) {
    std::array<int, 2> to_hub{};
    std::array<int, 2> from_hub{};
    if (pipe(to_hub.data()) != 0 || pipe(from_hub.data()) != 0) std::abort();
    const std::string text = behaviour.dump();
    const std::string script = TestData("../hub/fake_hub.py");
    pid_ = fork();
    if (pid_ == 0) {
      dup2(to_hub[0], STDIN_FILENO);
      dup2(from_hub[1], STDOUT_FILENO);
      for (const int fd : {to_hub[0], to_hub[1], from_hub[0], from_hub[1]}) close(fd);
      execlp("python3", "python3", script.c_str(), root.c_str(), log.c_str(), text.c_str(),
             nullptr);
      _exit(127);
    }
    close(to_hub[0]);
    close(from_hub[1]);
    stdin_ = to_hub[1];
    // The whole line, so that the pipe is not closed under the writer.
    FILE* ports = fdopen(from_hub[0], "r");
    std::array<char, 32> line{};
    if (std::fgets(line.data(), line.size(), ports) != nullptr) port_ = std::atoi(line.data());
    std::fclose(ports);
  }
  FakeHub(const FakeHub&) = delete;
  FakeHub& operator=(const FakeHub&) = delete;
  ~FakeHub() {
    close(stdin_);
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }

 private:
  pid_t pid_ = -1;
  int stdin_ = -1;
  int port_ = 0;
};

inline std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline void WriteFile(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << text;
}

class HubTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* variable :
         {"SENTENCE_TRANSFORMERS_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "XDG_CACHE_HOME",
          "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_TOKEN_PATH", "HF_HUB_DISABLE_IMPLICIT_TOKEN",
          "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DOWNLOAD_TIMEOUT",
          "HF_HUB_ETAG_TIMEOUT", "HF_ENDPOINT", "http_proxy", "all_proxy", "ALL_PROXY"}) {
      unsetenv(variable);
    }
    setenv("HF_HOME", (directory_ / "home").c_str(), 1);
  }

  // Serves what AddFile made, and makes it the endpoint.
  void StartHub(const nlohmann::json& behaviour = nlohmann::json::object()) {
    hub_.reset();
    hub_ = std::make_unique<FakeHub>(directory_ / "models", directory_ / "log", behaviour);
    setenv("HF_ENDPOINT", hub_->url().c_str(), 1);
  }
  void StopHub() { hub_.reset(); }

  void AddFile(const std::string& name, std::string_view text,
               const std::string& model = "acme/tiny") {
    WriteFile(directory_ / "models" / model / name, text);
  }

  // A model of the least that loads, with half a megabyte of weights.
  void AddModel() {
    AddFile("config.json", R"({"model_type": "bert"})");
    AddFile("tokenizer.json", R"({"version": "1.0"})");
    AddFile("model.safetensors", Noise(512 << 10));
  }

  static std::string Noise(size_t size_bytes) {
    std::minstd_rand random(1);
    std::string noise(size_bytes, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    return noise;
  }

  // <cache>/models--acme--tiny
  std::filesystem::path Cache() const { return directory_ / "home" / "hub" / "models--acme--tiny"; }
  std::filesystem::path Snapshot() const { return Cache() / "snapshots" / kCommit; }

  // The requests so far that `keep` says yes to.
  template <typename Predicate>
  std::vector<nlohmann::json> Requests(Predicate keep) const {
    std::vector<nlohmann::json> requests;
    std::ifstream log(directory_ / "log");
    for (std::string line; std::getline(log, line);) {
      nlohmann::json request = nlohmann::json::parse(line);
      if (keep(request)) requests.push_back(std::move(request));
    }
    return requests;
  }
  std::vector<nlohmann::json> Requests() const {
    return Requests([](const nlohmann::json&) { return true; });
  }
  // Requests for the contents of a file, at whichever server has them.
  std::vector<nlohmann::json> Transfers(const std::string& name) const {
    return Requests([&](const nlohmann::json& request) {
      return request["method"] == "GET" && request["status"] < 300 &&
             request["path"].get<std::string>().ends_with("/" + name);
    });
  }

  const TempDir temp_dir_;
  const std::filesystem::path directory_ = temp_dir_.path();

 private:
  std::unique_ptr<FakeHub> hub_;
};

}  // namespace embedding
