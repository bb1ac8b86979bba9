// The tokenizers that the tests of this folder load.
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "test_data.h"
#include "text/tokenizer.h"

namespace embedding {

inline std::string ReadWhole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline std::string GunzipWhole(const std::string& path) {
  std::string content;
  FILE* pipe = popen(("gunzip -c '" + path + "'").c_str(), "r");
  if (pipe == nullptr) return content;
  char buffer[1 << 16];
  while (const size_t size = std::fread(buffer, 1, sizeof(buffer), pipe)) {
    content.append(buffer, size);
  }
  pclose(pipe);
  return content;
}

// The tokenizer.json of a model by its name in the reference files; empty if it is not here.
inline std::string TokenizerJson(const std::string& name) {
  if (name == "bge-m3") return GunzipWhole(TestData("bge-m3-files/tokenizer.json.gz"));
  if (name == "tiny-bge-m3") return ReadWhole(TestData("tiny-bge-m3/tokenizer.json"));
  if (name.starts_with("small/")) {
    return ReadWhole(TestData("small-tokenizers/" + name.substr(6) + ".json"));
  }
  const std::string fetched = ReadWhole(FetchedModel("tokenizers/" + name + "/tokenizer.json"));
  if (!fetched.empty()) return fetched;
  return ReadWhole(FetchedModel(name + "/tokenizer.json"));
}

// Loads it; fails the test if it cannot be.
inline std::unique_ptr<Tokenizer> LoadTokenizer(std::string_view json) {
  Result<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::FromJson(json);
  if (!tokenizer) {
    ADD_FAILURE() << tokenizer.error().message;
    return nullptr;
  }
  return *std::move(tokenizer);
}

}  // namespace embedding
