// The benchmarks' texts: 1,785 short ones in 80 languages.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace embedding {

inline const std::vector<std::string>& BenchTexts() {
  static const std::vector<std::string> kTexts = [] {
    std::vector<std::string> texts;
    std::ifstream file(BENCH_TEXTS);
    for (std::string line; std::getline(file, line);) {
      texts.push_back(nlohmann::json::parse(line).at("text"));
    }
    return texts;
  }();
  return kTexts;
}

// The directory that the environment variable names, for benchmarks of a model.
inline std::string BenchModel(const char* variable, const char* otherwise) {
  const char* directory = std::getenv(variable);
  return directory != nullptr ? directory : otherwise;
}

}  // namespace embedding
